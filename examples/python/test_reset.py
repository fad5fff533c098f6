"""Tests of a client's password reset against Reseed, with pytest and nothing else."""
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import pytest

ACCOUNTS = {"members": [{"username": "ann", "email": "ann@example.org", "firstname": "Ann", "surname": "Archer"}]}


class Reseed:
    def __init__(self, url):
        self.url = url

    def call(self, path, data=None, **form):
        body = data if data is not None else urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body)) as answer:
            return answer.read()

    def seed(self, document):
        return json.loads(self.call("/dev/seed", json.dumps(document).encode()))

    def mail(self, to):
        return json.loads(self.call(f"/dev/mail.json?to={to}&wait=5s"))["mails"][0]

    def reset(self, **form):
        return ET.fromstring(self.call("/ps/service/members/resetpassword", **form)).get("status")


@pytest.fixture(scope="session")
def server():
    command = [os.environ.get("RESEED", "reseed"), "serve", "--test", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield Reseed(json.loads(process.stdout.readline())["url"])
        process.terminate()


@pytest.fixture
def reseed(server):
    server.seed(ACCOUNTS)  # every test begins with these accounts, and no mail
    return server


def test_a_member_resets_the_password(reseed):
    assert reseed.reset(email="ann@example.org") == "request-successful"
    token = reseed.mail("ann@example.org")["token"]
    assert reseed.reset(email="ann@example.org", token=token, **{"member-password": "violet-Anchor-38"}) == "password-changed"


def test_a_wrong_token_is_refused(reseed):
    with pytest.raises(urllib.error.HTTPError) as refused:
        reseed.reset(email="ann@example.org", token="x" * 32, **{"member-password": "violet-Anchor-38"})
    assert ET.fromstring(refused.value.read()).get("id") == "102A"
