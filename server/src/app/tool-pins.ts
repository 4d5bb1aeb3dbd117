import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PYTHON_PACKAGE_DIR } from '#kernel/environments/index.ts'

/** Packages that compile models and explain them. */
const TOOLS = new Set(['skl2onnx', 'onnx', 'onnxruntime', 'shap', 'pandas', 'pyarrow'])

/** Their exact requirements, from the lock that Slipway itself is proven with. */
export async function toolPins(): Promise<string[]> {
  const lock = await readFile(join(PYTHON_PACKAGE_DIR, 'environment.lock'), 'utf8')
  return lock.split('\n').filter((line) => TOOLS.has(/^([A-Za-z0-9_.-]+)==/.exec(line)?.[1]?.toLowerCase() ?? ''))
}
