/** A line of a model's signature. */
export interface Field {
  name: string
  type: string
  required: boolean
}

/** MLflow writes each side as JSON text: columns, or tensors. */
export function fieldsOf(side: unknown): Field[] | undefined {
  const parsed = typeof side === 'string' ? tryParse(side) : side
  if (!Array.isArray(parsed)) return undefined
  return parsed.map((field: Record<string, unknown>, at) => {
    const tensor = field['tensor-spec'] as { dtype?: string; shape?: number[] } | undefined
    const type = tensor
      ? `tensor of ${tensor.dtype} [${tensor.shape?.map((size) => (size === -1 ? 'n' : size)).join(', ')}]`
      : String(field.type ?? '')
    return {
      name: String(field.name ?? (parsed.length === 1 ? 'the only one' : `number ${at + 1}`)),
      type,
      required: field.required !== false,
    }
  })
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
