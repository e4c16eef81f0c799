"""Small bodies of the solar system: where they are, how bright, and TESSCut's files that follow."""
