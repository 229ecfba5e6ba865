"""Devices that poll as fast as they are answered, by Locust's fast client."""

from locust import FastHttpUser, constant, task

POLL = {
    "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q",
    "client_id": "tv",
}


class Device(FastHttpUser):
    wait_time = constant(0)

    @task
    def poll(self):
        with self.client.post("/token", data=POLL, catch_response=True) as response:
            # What a device that waits is told (RFC 8628 section 3.5).
            if response.status_code == 400:
                response.success()
