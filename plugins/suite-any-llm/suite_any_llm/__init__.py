"""Models of services by the library any-llm: the engine (`engine`), what its failures mean (`failures`)."""
