"""Parts in an object store, against a real server of the protocol on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import s3fs

from workbench.errors import InputError, StoreError
from workbench.settings import Settings
from workbench.store import Store, maintenance, publish, queries, read_only, write_parts

# The client's event loop and its server's sockets are closed by the interpreter's end, not by a test.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server():
    """An S3 server on a free port, told to the client by the usual variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    given = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    yield address
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def far(server, tmp_path):
    """A lake whose parts lie in a bucket of their own."""
    bucket = f"bucket-{uuid.uuid4().hex}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(bucket)
    settings = Settings(lake=tmp_path / "lake", parts=f"s3://{bucket}/a lake")
    with Store(settings) as store:
        yield store


def add(store, make, key, **more):
    run_id = store.begin_run(make.new_run(key))
    requests = make.requests(run_id, **more)
    tables = {
        "requests": requests,
        "samples": make.samples(run_id),
        "histograms": make.histograms(run_id, requests),
        "summaries": make.summaries(run_id),
    }
    store.finish_run(run_id, make.result(requests), write_parts(store.files, run_id, tables))
    return run_id


def test_runs_are_written_read_compacted_and_collected_there(far, make):
    runs = [add(far, make, f"run {number}", count=1000 + number, seed=number) for number in range(3)]
    assert not list(far.lake.rglob("*.parquet"))
    assert far.find_run("run 1").run_id == runs[1]
    count = "select count(*)::INTEGER as n, sum(response_us)::BIGINT as total from requests"
    expected = sum(sum(make.requests(1, 1000 + n, n)["response_us"].to_pylist()) for n in range(3))
    assert far.query(count).to_pylist() == [{"n": 3003, "total": expected}]
    exact = queries.latency(far, run_id=runs[0])
    assert maintenance.verify(far) == []
    maintenance.compact(far)
    assert far.query(count).to_pylist() == [{"n": 3003, "total": expected}]
    assert queries.latency(far, run_id=runs[0]) == exact
    gone = maintenance.collect(far, now=datetime.now(UTC) + timedelta(hours=2), grace_s=3600)
    assert len(gone) == 12
    assert len(list(far.files.listed())) == 4
    assert maintenance.verify(far) == []
    publish(far)


def test_a_users_statement_reads_the_parts_there_and_no_other_key(far, make):
    add(far, make, "a")
    assert read_only(far, "select count(*)::INTEGER as n from requests").to_pylist() == [{"n": 2000}]
    with pytest.raises(InputError):
        read_only(far, f"select * from read_parquet('{far.files.root}/*/*/*.parquet')")


def test_what_is_missing_there_is_said(far, make):
    add(far, make, "a")
    [part] = far.parts("samples")
    far.files.remove(part.path)
    [finding] = maintenance.verify(far)
    assert (finding.kind, finding.path) == ("missing", part.path)
    assert far.find_run("a") is None


def test_bucket_that_does_not_exist_is_named(server, tmp_path, make):
    with Store(Settings(lake=tmp_path / "lake", parts="s3://no-such-bucket/lake")) as store:
        with pytest.raises(StoreError, match="s3://no-such-bucket/lake cannot be used"):
            add(store, make, "a")
        assert store.runs(state="complete") == []
        assert not list((tmp_path / "lake" / "tmp").glob("*.tmp"))


def test_address_of_no_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="parts: given 'bucket'; allowed: an address such as s3://"):
        Store(Settings(lake=tmp_path, parts="bucket"))
    with pytest.raises(StoreError, match="nosuch://x; it cannot be reached"):
        Store(Settings(lake=tmp_path, parts="nosuch://x"))
