// The API's health check: whether the process answers. Readiness (Redis, a worker, a model) is /health/ready, for load
// balancers: restarting the API does not bring Redis back.
const response = await fetch(`http://127.0.0.1:${process.env.SMOOTHCERT_PORT || 8080}/health/live`);
if (!response.ok) throw new Error(`/health/live answered ${response.status}`);
