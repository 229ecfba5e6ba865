-- The poll that every generator of the benchmark sends.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code" ..
  "&device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS7Q&client_id=tv"
