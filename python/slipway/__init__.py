"""Serves, prepares and explains MLflow models inside their own environment.

Importing this package needs the standard library only; each module imports MLflow, scikit-learn, ONNX or shap when it
is asked for something that needs them, and says which one is missing.
"""

__version__ = "0.1.0"
