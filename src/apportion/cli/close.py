"""``apportion close``."""
from apportion.cli.face import Face
def run(face: Face) -> None:
    """x."""
