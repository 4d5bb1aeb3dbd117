/** `/openapi.json`: our own routes as they describe themselves, and beside them the wires of others that answer here. */
import { mlflowDescriptions } from '#adapters/mlflow'
import type { RouteEntry } from '#kernel/http/index.ts'

type Json = Record<string, unknown>
interface Operation extends Json {
  responses?: Json
}
export interface ApiDocument extends Json {
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Json; [part: string]: unknown }
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const text = { type: 'string' }

/** RFC 9457 problem details, as kernel/http/problems.ts words them. */
const Problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'request_id'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    field: text,
    remedy: text,
    facts: { type: 'object' },
    request_id: text,
  },
}

const refusal = (media_type: string, schema: unknown) => ({
  description: 'Refused, with the reason',
  content: { [media_type]: { schema } },
})
/** Refused before anything of it is read, on every wire. */
const tooLong = {
  431: {
    description: 'The address and headers are larger than 16 KiB',
    content: { 'application/problem+json': { schema: ref('Problem') } },
  },
}
const answered = (media_type: string, schema: unknown) => ({
  200: { description: 'Default Response', content: { [media_type]: { schema } } },
})

/** What is asked by machines: MLflow's scoring contract, and probes. */
const MACHINES: Readonly<Record<string, Operation>> = {
  'POST /serve/:endpoint/invocations': {
    summary: "Predict, by MLflow's scoring contract",
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { type: 'object' } }, 'text/csv': { schema: text } },
    },
    responses: answered('application/json', { type: 'object' }),
  },
  'GET /serve/:endpoint/ping': { summary: 'Whether the endpoint answers', responses: answered('application/json', {}) },
  'GET /serve/:endpoint/health': {
    summary: 'Whether the endpoint answers',
    responses: answered('application/json', {}),
  },
  'GET /serve/:endpoint/version': { summary: 'The scoring contract spoken', responses: answered('text/plain', text) },
  'GET /health': { summary: 'Whether the server lives', responses: answered('text/plain', text) },
  'GET /ready': { summary: 'Whether the server can answer', responses: answered('text/plain', text) },
}

/** TypeBox writes tuples as an older JSON Schema had them. */
function inNewWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inNewWords)
  if (value === null || typeof value !== 'object') return value
  const { items, additionalItems: _, ...rest } = value as { items?: unknown; additionalItems?: unknown }
  const others = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, inNewWords(each)]))
  if (Array.isArray(items)) return { ...others, prefixItems: items.map(inNewWords), items: false }
  return items === undefined ? others : { ...others, items: inNewWords(items) }
}

const WORD = /:([A-Za-z_]+)|\*/g
const pathOf = (path: string) => path.replace(WORD, (_, name?: string) => `{${name ?? '*'}}`)
const pathParameters = (path: string) =>
  [...path.matchAll(WORD)].map(([, name]) => ({ name: name ?? '*', in: 'path', required: true, schema: text }))

/** The document of `own` routes, completed by what every one of them may refuse with and by the wires in the table. */
export function describeApi(own: ApiDocument, table: readonly RouteEntry[]): ApiDocument {
  const paths: ApiDocument['paths'] = {}
  for (const [path, methods] of Object.entries(own.paths)) {
    paths[path] = Object.fromEntries(
      Object.entries(methods).map(([method, operation]) => [
        method,
        {
          ...operation,
          responses: {
            ...operation.responses,
            ...tooLong,
            default: refusal('application/problem+json', ref('Problem')),
          },
        },
      ]),
    )
  }
  const foreign = mlflowDescriptions()
  for (const { method, path, may, summary } of table) {
    const name = `${method} ${path}`
    const machine = MACHINES[name]
    const wire = foreign.operation(name)
    const operation: Operation | undefined = wire ?? machine
    if (summary !== undefined || !operation) continue
    const refused = machine
      ? refusal('application/json', path.startsWith('/serve/') ? ref('MlflowError') : ref('Problem'))
      : refusal('application/json', ref('MlflowError'))
    paths[pathOf(path)] = {
      ...paths[pathOf(path)],
      [String(method).toLowerCase()]: {
        ...operation,
        tags: [wire ? 'mlflow' : 'machines'],
        description: may === 'anonymous' ? 'Open to all.' : `Needs ${may}.`,
        ...(may === 'anonymous' && { security: [] }),
        parameters: [...pathParameters(path), ...((operation.parameters as unknown[] | undefined) ?? [])],
        responses: { ...operation.responses, ...tooLong, default: refused },
      },
    }
  }
  return {
    ...own,
    paths: inNewWords(paths) as ApiDocument['paths'],
    components: { ...own.components, schemas: { ...own.components?.schemas, Problem, ...foreign.schemas } },
  }
}
