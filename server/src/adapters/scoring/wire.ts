/** `{"predictions": …}` as MLflow's scoring server words it. */
export function answerText(answer: { outputs: unknown[]; raw?: unknown }): string {
  return JSON.stringify({ predictions: answer.raw ?? answer.outputs })
}
