"""A model whose file is whole and whose loading fails, as one does whose weights lie on somebody's laptop."""

import mlflow


class Raises(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        raise FileNotFoundError("the weights in /mnt/ada/weights.bin are not here")

    def predict(self, context, model_input, params=None):
        return [[0.5, 0.5]] * len(model_input)


mlflow.models.set_model(Raises())
