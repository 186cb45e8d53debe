"""Certificate authorities for tests, made with openssl(1): certificates good, expired and revoked, and revocation lists.

    ca = certificates.Authority(directory, "ca", "/C=US/O=Foo Enterprises/CN=Our CA")
    ca.issue("client", "/CN=client.test")            # client.pem, client.key in directory
    ca.revoke("client"); ca.write_crl()              # ca.crl
"""
import os, subprocess

CONFIG = """
[ca]
default_ca = this
[this]
database = {d}/index
new_certs_dir = {d}
serial = {d}/serial
crlnumber = {d}/crlnumber
default_md = sha256
policy = any
unique_subject = no
default_days = 30
default_crl_days = 30
email_in_dn = yes
[any]
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
"""


def openssl(*args, text=None):
    done = subprocess.run(["openssl"] + list(args), input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError("openssl %s: %s" % (" ".join(args), done.stderr))
    return done.stdout


def new_key(path, kind):
    if kind == "rsa":
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    else:
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def fingerprint(certificate, digest="sha256", key=False):
    if not key:
        return openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-" + digest).split("=")[1].strip()
    public = subprocess.run("openssl x509 -in %s -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -%s -c" % (certificate, digest), shell=True, capture_output=True, text=True)
    return public.stdout.split("= ")[1].strip().upper()


class Authority:
    def __init__(self, directory, name, subject, issuer=None):
        self.directory, self.name = directory, name
        self.work = os.path.join(directory, name + ".d")
        os.makedirs(self.work, exist_ok=True)
        self.key, self.certificate, self.crl = (self._path(name + end) for end in (".key", ".pem", ".crl"))
        for file, text in (("index", ""), ("index.attr", ""), ("serial", "01\n"), ("crlnumber", "01\n"), ("config", CONFIG.format(d=self.work))):
            with open(os.path.join(self.work, file), "w") as f:
                f.write(text)
        if issuer:
            issuer.issue(name, subject, extensions="basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n")
        else:
            new_key(self.key, "ec")
            openssl("req", "-x509", "-key", self.key, "-days", "30", "-subj", subject, "-out", self.certificate)

    def _path(self, file):
        return os.path.join(self.directory, file)

    def _ca(self, *args):
        openssl("ca", "-config", os.path.join(self.work, "config"), "-batch", "-notext", "-cert", self.certificate, "-keyfile", self.key, *args)

    def issue(self, name, subject, extensions="basicConstraints=CA:FALSE\n", expired=False, kind="ec"):
        """Makes NAME.key (0400), NAME.pem; subject as `openssl -subj` reads it."""
        key, request, certificate, ext = (self._path(name + end) for end in (".key", ".csr", ".pem", ".ext"))
        new_key(key, kind)
        os.chmod(key, 0o400)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        with open(ext, "w") as f:
            f.write(extensions)
        dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if expired else []
        self._ca("-in", request, "-out", certificate, "-extfile", ext, *dates)
        return certificate

    def revoke(self, name):
        self._ca("-revoke", self._path(name + ".pem"))

    def write_crl(self):
        self._ca("-gencrl", "-out", self.crl + ".new")
        os.rename(self.crl + ".new", self.crl)
        return self.crl
