// Devices that poll as fast as they are answered, or all together at a rate.
import http from 'k6/http';

const seconds = Number(__ENV.SECONDS);
const rate = Number(__ENV.RATE || 0);
const closed = { executor: 'constant-vus', vus: 64, duration: `${seconds}s` };
const paced = {
  executor: 'constant-arrival-rate', rate, timeUnit: '1s', duration: `${seconds}s`, preAllocatedVUs: 64, maxVUs: 512,
};

// What a device that waits is told is no error of the server's (RFC 8628 section 3.5).
http.setResponseCallback(http.expectedStatuses(400));

export const options = { scenarios: { polls: rate > 0 ? paced : closed } };

export default function () {
  http.post(`${__ENV.ORIGIN}/token`, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: 'GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q',
    client_id: 'tv',
  });
}

export function handleSummary(data) {
  return { stdout: `${data.metrics.http_reqs.values.count}\n` };
}
