/**
 * OpenAPI 3.1 → the TypeScript types that `openapi-fetch` takes as its `paths`. Covers the JSON Schema that TypeBox
 * writes; anything else is an error here, so that a type is never wrong in silence.
 */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  parameters?: { name: string; in: 'query' | 'path' | 'header' | 'cookie'; required?: boolean; schema?: Schema }[]
  requestBody?: { required?: boolean; content: Content }
  responses?: Record<string, { description?: string; content?: Content }>
}

type Content = Record<string, { schema?: Schema }>

/** The keywords that decide a type; the others (limits, formats, descriptions) do not. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  patternProperties?: Record<string, Schema>
  items?: Schema | Schema[] | boolean
  prefixItems?: Schema[]
  minItems?: number
  format?: string
  description?: string
  not?: Schema
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** The text of `schema.d.ts`. */
export function typesOf(document: OpenApiDocument): string {
  const paths = Object.entries(document.paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, methods]) => `  ${quote(path)}: ${pathType(methods, path)}`)
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => `    ${quote(name)}: ${typeOf(schema, 2, name)}`,
  )
  return [
    '// Generated from server/openapi.json by `npm run gen`; `npm run check` compares. Do not edit.',
    'export interface paths {',
    ...paths,
    '}',
    'export interface components {',
    ...(schemas.length > 0 ? ['  schemas: {', ...schemas, '  }'] : ['  schemas: Record<string, never>']),
    '}',
    '',
  ].join('\n')
}

function pathType(methods: Record<string, Operation>, path: string): string {
  const members = METHODS.filter((method) => methods[method]).map((method) => {
    const operation = methods[method]!
    const comment = operation.summary ? `    /** ${operation.summary.replaceAll('*/', '* /')} */\n` : ''
    return `${comment}    ${method}: ${operationType(operation, `${method} ${path}`)}`
  })
  return `{\n${members.join('\n')}\n  }`
}

function operationType(operation: Operation, where: string): string {
  const lines = [`      parameters: ${parametersType(operation, where)}`]
  if (operation.requestBody) {
    const optional = operation.requestBody.required === false ? '?' : ''
    lines.push(`      requestBody${optional}: { content: ${contentType(operation.requestBody.content, where)} }`)
  }
  const responses = Object.entries(operation.responses ?? {}).map(([status, { content }]) => {
    const body = content ? contentType(content, where) : '{ [media: string]: unknown }'
    return `        ${/^\d+$/.test(status) ? status : quote(status)}: { headers: { [name: string]: unknown }; content: ${body} }`
  })
  lines.push(
    responses.length > 0
      ? `      responses: {\n${responses.join('\n')}\n      }`
      : '      responses: Record<never, never>',
  )
  return `{\n${lines.join('\n')}\n    }`
}

function parametersType({ parameters = [] }: Operation, where: string): string {
  const groups = Map.groupBy(parameters, (parameter) => parameter.in)
  const members = [...groups].map(([kind, list]) => {
    const optional = list.every((parameter) => !parameter.required) ? '?' : ''
    const fields = list.map(
      ({ name, required, schema }) =>
        `${quote(name)}${required ? '' : '?'}: ${typeOf(schema ?? {}, 3, `${where} ${name}`)}`,
    )
    return `${kind}${optional}: { ${fields.join('; ')} }`
  })
  return members.length > 0 ? `{ ${members.join('; ')} }` : '{ query?: never; path?: never }'
}

function contentType(content: Content, where: string): string {
  const members = Object.entries(content).map(
    ([media, { schema }]) => `${quote(media)}: ${typeOf(schema ?? {}, 4, where)}`,
  )
  return `{ ${members.join('; ')} }`
}

/** The TypeScript type of values that a schema accepts. `where` names the place in errors. */
export function typeOf(schema: Schema | boolean, depth = 0, where = 'schema'): string {
  if (schema === true) return 'unknown'
  if (schema === false) return 'never'
  const inner = (each: Schema | boolean) => typeOf(each, depth, where)
  if (schema.$ref) {
    const name = /^#\/components\/schemas\/([^/]+)$/.exec(schema.$ref)?.[1]
    if (!name) throw new Error(`${where}: a reference to ${schema.$ref} cannot be written as a type`)
    return `components['schemas'][${quote(name, true)}]`
  }
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)))
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return union(choices.map(inner))
  if (schema.allOf) return schema.allOf.map((each) => `(${inner(each)})`).join(' & ')
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => inner({ ...schema, type })))
  switch (schema.type) {
    case 'string':
      return schema.format === 'binary' ? 'Blob' : 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return arrayType(schema, inner)
    case 'object':
      return objectType(schema, depth, where)
    case undefined:
      if (schema.properties || schema.patternProperties) return objectType(schema, depth, where)
      if (Object.keys(schema).some((key) => key === 'not' || key === 'items')) break
      return 'unknown'
  }
  throw new Error(`${where}: no type is known for ${JSON.stringify(schema).slice(0, 200)}`)
}

function arrayType(schema: Schema, inner: (each: Schema | boolean) => string): string {
  const tuple = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : undefined)
  if (tuple) return `[${tuple.map(inner).join(', ')}]`
  return `(${inner((schema.items as Schema | boolean | undefined) ?? true)})[]`
}

function objectType(schema: Schema, depth: number, where: string): string {
  const required = new Set(schema.required ?? [])
  const pad = '  '.repeat(depth + 1)
  const members = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const comment = property.description ? `${pad}/** ${property.description.replaceAll('*/', '* /')} */\n` : ''
    return `${comment}${pad}${quote(name)}${required.has(name) ? '' : '?'}: ${typeOf(property, depth + 1, `${where}.${name}`)}`
  })
  const patterns = Object.values(schema.patternProperties ?? {})
  const open = typeof schema.additionalProperties === 'object' ? [...patterns, schema.additionalProperties] : patterns
  if (open.length > 0) {
    // Beside named members an index signature must fit them too.
    const value = members.length > 0 ? 'unknown' : union(open.map((each) => typeOf(each, depth + 1, where)))
    members.push(`${pad}[key: string]: ${value}`)
  } else if (members.length === 0) {
    return schema.additionalProperties === false ? 'Record<string, never>' : '{ [key: string]: unknown }'
  }
  return `{\n${members.join('\n')}\n${'  '.repeat(depth)}}`
}

function union(types: string[]): string {
  const distinct = [...new Set(types)]
  if (distinct.includes('unknown')) return 'unknown'
  return distinct.length === 0 ? 'never' : distinct.join(' | ')
}

const quote = (name: string, always = false) =>
  !always && /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
