"""The kinds of pieces in the journal."""

GROWING = ("text", "reasoning", "output", "tool_input")
"""What grows: a piece has its next characters as `text`."""

WHOLES = ("provider_call", "provider_result", "source")
"""What comes as a whole: a piece has it as `data`."""

KINDS = (*GROWING, *WHOLES)
