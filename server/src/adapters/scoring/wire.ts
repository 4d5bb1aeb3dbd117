import { pythonJson } from '#slices/serving'

/** `{"predictions": …}` as MLflow's scoring server words it, NaN and the infinities bare as Python writes them. */
export function answerText(answer: { outputs: unknown[]; raw?: unknown }): string {
  return `{"predictions": ${pythonJson(answer.raw ?? answer.outputs)}}`
}
