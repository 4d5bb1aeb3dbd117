import { invalid } from '#kernel/errors.ts'

/** The types of MLflow's column signatures that a request can carry. */
export type FeatureType = 'boolean' | 'integer' | 'long' | 'float' | 'double' | 'string' | 'datetime' | 'binary' | 'any'

export interface Feature {
  name: string
  type: FeatureType
  /** May be left out or null. Doubles may always be null: that is a missing number. */
  optional: boolean
}

/** Columns in the signature's order, or undefined when the model has none that names columns. */
export type Features = readonly Feature[]

export type Cell = null | boolean | number | string

/** An MLflow signature: each part as MLflow writes it (JSON text), or already read. */
export interface Signature {
  inputs?: string | unknown[] | null
  outputs?: unknown
}

/** The columns that a signature names. Tensors and signatures with lists or objects in columns have no features. */
export function featuresOf(signature: Signature | null | undefined): Features | undefined {
  if (!signature?.inputs) return undefined
  const columns = (typeof signature.inputs === 'string' ? JSON.parse(signature.inputs) : signature.inputs) as {
    name?: string
    type?: string
    required?: boolean
    optional?: boolean
  }[]
  // A column of lists or objects is for the model's own Python to read.
  if (!Array.isArray(columns) || columns.some((column) => column.name === undefined || !isPlain(column.type)))
    return undefined
  return columns.map((column) => ({
    name: column.name!,
    type: column.type as FeatureType,
    optional: column.required === false || column.optional === true,
  }))
}

const isPlain = (type: string | undefined): boolean => (TYPES as readonly (string | undefined)[]).includes(type)

const TYPES: readonly FeatureType[] = [
  'boolean',
  'integer',
  'long',
  'float',
  'double',
  'string',
  'datetime',
  'binary',
  'any',
]

/** Largest text that one feature may hold. */
const TEXT_MAX = 10_000

/**
 * One row of named values as cells in the signature's order. Throws invalid naming the field: unknown or missing feature, wrong type, NaN
 * where it is not a number's missing value. `where` finishes the field name: `rows[3]`.
 */
export function readRow(features: Features, row: Record<string, unknown>, where: () => string): Cell[] {
  const cells = new Array<Cell>(features.length)
  let known = 0
  for (let at = 0; at < features.length; at++) {
    const feature = features[at]!
    const value = row[feature.name]
    if (value !== undefined) known++
    cells[at] = readCell(feature, value, where)
  }
  if (known !== Object.keys(row).length) {
    for (const name of Object.keys(row)) {
      if (row[name] !== undefined && !features.some((feature) => feature.name === name)) {
        throw invalid(`the model has no feature '${name}'`, {
          field: `${where()}.${name}`,
          remedy: `It takes ${features.map((feature) => feature.name).join(', ')}.`,
        })
      }
    }
  }
  return cells
}

export function readCell(feature: Feature, value: unknown, where: () => string): Cell {
  switch (feature.type) {
    case 'double':
    case 'float':
      if (typeof value === 'number') return value
      if (value === null || value === 'NaN') return null
      if (value === 'Infinity') return Number.POSITIVE_INFINITY
      if (value === '-Infinity') return Number.NEGATIVE_INFINITY
      break
    case 'integer':
    case 'long':
      if (typeof value === 'number' && Number.isInteger(value)) return value
      if (typeof value === 'string' && /^-?\d{1,19}$/.test(value))
        return Number.isSafeInteger(Number(value)) ? Number(value) : value
      break
    case 'boolean':
      if (typeof value === 'boolean') return value
      break
    case 'string':
    case 'datetime':
    case 'binary':
      if (typeof value === 'string' && value.length <= TEXT_MAX) return value
      break
    case 'any':
      if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
        return value
      break
  }
  const field = () => `${where()}.${feature.name}`
  if (value === undefined) {
    if (feature.optional) return null
    throw invalid(`feature '${feature.name}' is missing`, {
      field: field(),
      remedy: `Send it as ${feature.type}${isNumber(feature) ? ', or null when it is not known' : ''}.`,
    })
  }
  if (value === null) {
    if (feature.optional || feature.type === 'string') return null
    throw invalid(`feature '${feature.name}' may not be null`, {
      field: field(),
      remedy: `Send it as ${feature.type}; train with a column of doubles if it can be missing.`,
    })
  }
  throw invalid(`feature '${feature.name}' is ${shown(value)}, not ${feature.type}`, {
    field: field(),
    remedy: `Send it as ${feature.type}.`,
  })
}

const isNumber = (feature: Feature) => feature.type === 'double' || feature.type === 'float'

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
