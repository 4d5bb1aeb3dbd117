/** What of JSON Schema our own routes use. */
export interface Schema {
  type?: string
  properties?: Record<string, Schema>
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  pattern?: string
}

/** A body that a schema takes, with what is known filled in wherever it asks for something of that name. */
export function bodyFor(schema: Schema, names: Record<string, string>, name = ''): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return bodyFor(schema.anyOf[0]!, names, name)
  if (schema.properties)
    return Object.fromEntries(Object.entries(schema.properties).map(([key, each]) => [key, bodyFor(each, names, key)]))
  if (schema.type === 'array') return [bodyFor(schema.items ?? {}, names, name.replace(/s$/, ''))]
  if (schema.type === 'string') return names[name] ?? (schema.pattern?.includes('sha256') ? names.digest : 'stolen')
  if (schema.type === 'boolean') return true
  if (schema.type === 'integer' || schema.type === 'number') return 1
  return {}
}
