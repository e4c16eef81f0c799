"""How Skystamp looks: the pieces of Streamlit that two or more pages use."""
