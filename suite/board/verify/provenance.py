"""R10: who says so? A signature beside submission.json, held against it and against the board's signers.

It shows who vouches, never that the content is true, and nothing rests on it but the trust level L2. A
bundle without a signature, or signed with a key that nobody here knows, is no worse for it; a signature that
does not fit is an error, since somebody put it there.
"""

from suite.board import signatures
from suite.board.bundle import Bundle
from suite.board.findings import Findings
from suite.board.submission import SIGNATURE


def provenance(
    bundle: Bundle, signers: signatures.Signers | None, findings: Findings
) -> signatures.Signature | None:
    """Whose signature it is; None without one that fits.

    Raises ConfigError if the file of signers is not there.
    """
    if bundle.signature is None:
        findings.not_run("R10", "it is not signed")
        return None
    if not signatures.available():
        findings.not_run("R10", "it is signed, and ssh-keygen is not here to check that")
        return None
    try:
        found = signatures.check(bundle.manifest, bundle.signature, signers)
    except signatures.BadSignature as error:
        what = "the signature is not one of this submission.json"
        findings.add("R10.signature", what, SIGNATURE, found=str(error))
        return None
    if found.identities:
        findings.ran("R10")
        findings.rungs["R10"].remark = f"signed by {', '.join(found.identities)}"
    else:
        whose = (
            "no line of the file of signers has it and lets it sign this"
            if signers
            else "no file of signers was given (--signers)"
        )
        findings.not_run("R10", f"signed with {found.key}; {whose}")
    return found
