"""How the provider is tried: the service `openai` of the library, at a server that speaks its protocol."""

from suite.testing import OpenAIProtocol, ProviderCase

CASE = ProviderCase(
    "any-llm/openai/some-model", OpenAIProtocol(), {"base_url": "{url}/v1"}, key_env="OPENAI_API_KEY"
)
