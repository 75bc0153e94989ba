"""What makes the models that the package ships; not in the wheel.

A command each, run in the project's root: ``python -m models.default DATA -o FILE``, likewise
``models.fidelity`` and ``models.electrode``.
"""
