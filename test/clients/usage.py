"""What a Python client generated from the OpenAPI document must be able to do with a running service.

usage: usage.py URL IMAGE    (a service with the model mnist-cnn, and MNIST's test image 0)
"""

import sys
import time
from pathlib import Path

from smoothcert_client import Client
from smoothcert_client.api.calculators import compute_radius
from smoothcert_client.api.certifications import (
    cancel_certification,
    create_certification,
    get_certification,
    list_certification_results,
    list_certifications,
)
from smoothcert_client.api.models import list_models
from smoothcert_client.api.operations import get_readiness
from smoothcert_client.models import (
    AvailabilityState,
    Certificate,
    Certification,
    CertificationForm,
    CertificationFormData,
    CertificationParameters,
    CertificationRequest,
    CertificationResultOutcome,
    Input,
    JobStatus,
    Problem,
    RadiusRequest,
    Tensor,
    TensorDtype,
)
from smoothcert_client.types import File

url, image = sys.argv[1], Path(sys.argv[2])
client = Client(base_url=url, raise_on_unexpected_status=True)


def until(look):
    for _ in range(1_200):
        seen = look()
        if seen is not None:
            return seen
        time.sleep(0.1)
    raise TimeoutError


def ended(job: Certification) -> Certification | None:
    shown = get_certification.sync(job.id, client=client)
    return None if shown.finished_at is None else shown


# The API listens before the worker has loaded its model.
until(lambda: get_readiness.sync(client=client).checks.models.ok or None)
model = list_models.sync(client=client).data[0]
assert model.name == "mnist-cnn" and model.availability.state == AvailabilityState.LOADED
radius = compute_radius.sync(client=client, body=RadiusRequest(top_count=7312, n=10_000, alpha=0.001, sigma=0.5))
assert abs(radius.certified_radius - 0.28742) < 1e-5, radius

# A file in a form.
form = CertificationFormData(
    request=CertificationForm(model="mnist-cnn", parameters=CertificationParameters(sigma=0.5, n=1_000)),
    image=[File(payload=image.open("rb"), file_name="seven.png", mime_type="image/png")],
)
job = create_certification.sync(client=client, body=form)
assert isinstance(job, Certification), job
assert job.parameters.n == 1_000 and job.summary.certified == 0
assert until(lambda: ended(job)).status == JobStatus.SUCCEEDED
page = list_certification_results.sync(job.id, client=client, limit=1)
(result,) = page.data
assert result.input_id == "seven.png" and result.prediction.class_ == 7, result
assert result.outcome == CertificationResultOutcome.CERTIFIED and isinstance(result.certificate, Certificate)
assert sum(result.votes.additional_properties.values()) == 1_000

# A tensor in JSON, of a shape that the model does not take: a problem with its place.
tensor = Tensor(dtype=TensorDtype.UINT8, shape=[1, 2, 2], data="AAAAAA==")
body = CertificationRequest(model="mnist-cnn", parameters=CertificationParameters(sigma=0.5), inputs=[Input(tensor=tensor)])
problem = create_certification.sync(client=client, body=body)
assert isinstance(problem, Problem) and problem.errors[0].pointer == "/inputs/0/tensor/shape", problem

# Pages, and a job that has ended.
assert [each.id for each in list_certifications.sync(client=client, limit=1).data] == [job.id]
assert isinstance(cancel_certification.sync(job.id, client=client), Problem)
print("the generated Python client works")
