"""Certificates for tests, made by the openssl command in a folder of theirs."""
import os
import shutil
import subprocess

from harness import Skip


class Authority:
    """A CA and what it issues; every name is a file of the folder."""

    def __init__(self, folder, name="ca"):
        if not shutil.which("openssl"):
            raise Skip("no openssl on this machine")
        self.folder, self.name = folder, name
        self.cert = self.path(name + ".pem")
        self.openssl("req", "-x509", *self.key(name), "-out", self.cert, "-days", "90", "-subj",
                     "/CN=authority", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                     "keyUsage=critical,keyCertSign,cRLSign")

    def path(self, name):
        return os.path.join(self.folder.path, name)

    def key(self, name, algorithm="ec"):
        kind = ["-newkey", "rsa:2048"] if algorithm == "rsa" else [
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        return *kind, "-nodes", "-keyout", self.path(name + ".key")

    @staticmethod
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, text=True,
                       stdin=subprocess.DEVNULL)

    def issue(self, name, san="DNS:localhost,IP:127.0.0.1", use="serverAuth", algorithm="ec"):
        """name.crt and name.key; returns the paths of both."""
        request, cert = self.path(name + ".csr"), self.path(name + ".crt")
        extensions = self.folder.file(name + ".ext", (
            f"subjectAltName={san}\nextendedKeyUsage={use}\nbasicConstraints=CA:FALSE\n"
            "keyUsage=digitalSignature\ncrlDistributionPoints=URI:http://localhost/crl\n"))
        self.openssl("req", "-new", *self.key(name, algorithm), "-out", request,
                     "-subj", "/CN=" + name)
        self.openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey",
                     self.path(self.name + ".key"), "-CAcreateserial", "-days", "90", "-out", cert,
                     "-extfile", extensions)
        return cert, self.path(name + ".key")
