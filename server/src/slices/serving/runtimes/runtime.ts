import type { Ask } from '../forms.ts'
import type { Features, Signature } from '../signature.ts'

/** A loaded model version that answers. */
export interface Runtime {
  readonly form: 'onnx' | 'python'
  /** Columns that a request must bring; undefined when the model names none. */
  readonly features: Features | undefined
  /**
   * One output per row, as the model's own pyfunc would answer: a number, a text, a list (probabilities), an object.
   * Throws DomainError invalid for the caller's mistakes, anything else for the model's.
   */
  predict(ask: Ask, signal?: AbortSignal): Promise<Prediction>
  /** True when the request would run on the event loop: quick, and not to be cut short. */
  inline(ask: Ask): boolean
  close(): Promise<void>
}

export interface Prediction {
  outputs: unknown[]
  /** Set when the model's answer is no list of one output per row: then it is given to the caller as it is. */
  raw?: unknown
}

/** What stands before one input of a compiled form; python/slipway/onnxform/form.py applies the same when it proves parity. */
export interface InputGuard {
  name: string
  onnx_name: string
  /** ONNX Runtime's type of the tensor. */
  type: string
  nullable: boolean
  /** Text that stands for a null. */
  null_as?: string
  minimum?: number
  maximum?: number
  /** The only values that the model knows. */
  values?: (string | number)[]
}

/** What a preparation found out, as python/slipway/prepare.py writes it to report.json. */
export interface Report {
  /** `none`: the model does not load. */
  form: 'onnx' | 'python' | 'none'
  /** Why it is not onnx; null when it is. */
  reason: string | null
  /** Of the compiled form alone: what each input takes, and how it becomes a tensor. */
  inputs?: InputGuard[]
  outputs?: { name: string; kind: 'label' | 'probabilities' | 'value' }[]
  /** Which ONNX output is the pyfunc's answer, and how. */
  answer?: { output: string; kind: 'label' | 'probabilities' | 'value'; columns?: string[] | null }
  signature?: Signature | null
  parity?: Record<string, unknown> | null
  scan?: Record<string, unknown> | null
  [key: string]: unknown
}
