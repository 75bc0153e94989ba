"""How long is left, in words."""


def time_left(seconds: float | None) -> str:
    """Return "12 s left", "3 min left" or "2 h 5 min left"; empty where it is not known yet."""
    if seconds is None or seconds != seconds:
        return ""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min left"
