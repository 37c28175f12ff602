"""Offer files to a model's repository on the Hub: one pull request, never a merge."""

from collections.abc import Sequence

from suite.data.fetch_hub import endpoint
from suite.data.hub_status import told
from suite.errors import RunError
from suite.report.hub import HubFile


def push(files: Sequence[HubFile], repo: str, run: str) -> str:
    """Open a pull request with these files; its address. Raises RunError if the Hub refuses."""
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    added = [CommitOperationAdd(one.path, one.text.encode()) for one in files]
    try:
        done = HfApi(endpoint=endpoint()).create_commit(
            repo_id=repo,
            repo_type="model",
            operations=added,
            commit_message=f"Add evaluation results of {len(files)} settings",
            commit_description=f"Written by suite from the run {run}.",
            create_pr=True,
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        if answer := told(error):
            login = "see that HF_TOKEN, or `hf auth login`, has a token that may write there"
            fix = login if answer.status in (401, 403) else answer.fix
            raise RunError(f"{answer.what}: no pull request to {repo}", fix=fix) from error
        raise RunError(
            f"the Hub did not take the pull request to {repo}: {str(error).strip().splitlines()[0]}",
            fix="see that the repository is there and that `hf auth login` has a token that may write",
        ) from error
    return str(done.pr_url or done.commit_url)
