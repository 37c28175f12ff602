"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """The provider `any-llm/SERVICE/MODEL`, and prices."""
    title = "Gemini, Bedrock, Vertex, Mistral and more by the library any-llm"
    return [
        suite.Entry("provider", "any-llm", title, "suite_any_llm.engine:provider"),
        suite.Entry("registry", "any-llm", "Prices of services by any-llm", "suite_any_llm:registry"),
    ]
