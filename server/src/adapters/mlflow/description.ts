import type { TSchema } from 'typebox'
import { CALLS, type Described, OTHERS } from './described.ts'
import { UPLOAD_CALLS } from './described-uploads.ts'
import { WEBHOOK_CALLS } from './described-webhooks.ts'
import * as shape from './shapes.ts'

/** Messages that many calls answer: they stand in the document once. */
const { Double: _, ...NAMED } = shape
const names = new Map<object, string>(
  Object.entries(NAMED).map(([name, schema]) => [schema, name === 'MlflowError' ? name : `Mlflow${name}`]),
)

/** The schema with a reference wherever a named message stands. */
function referring(schema: unknown, top?: object): unknown {
  if (Array.isArray(schema)) return schema.map((each) => referring(each))
  if (schema === null || typeof schema !== 'object') return schema
  const name = schema === top ? undefined : names.get(schema)
  if (name) return { $ref: `#/components/schemas/${name}` }
  return Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, referring(each)]))
}

const plain = (name: string) => name.replace(/!$/, '')
const isRequired = (name: string) => name.endsWith('!')

function objectOf(fields: Record<string, TSchema>): object {
  const required = Object.keys(fields).filter(isRequired).map(plain)
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, schema]) => [plain(name), referring(schema)])),
    ...(required.length > 0 && { required }),
  }
}

/** Members that an answer may lack are marked in their schemas, by TypeBox's own mark. */
function answerOf(members: Record<string, TSchema>): object {
  const optional = (schema: TSchema) => '~optional' in schema
  const required = Object.keys(members).filter((name) => !optional(members[name]!))
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, referring(schema)])),
    ...(required.length > 0 && { required }),
  }
}

function operationOf(method: string, { summary, fields, answer, answers, takes }: Described) {
  const inQuery = method === 'GET' || takes !== undefined
  const bytes = { type: 'string', format: 'binary' }
  const content = answers
    ? { [answers]: { schema: answers === 'text/plain' ? { type: 'string' } : bytes } }
    : { 'application/json': { schema: answerOf(answer ?? {}) } }
  return {
    summary,
    ...(fields &&
      inQuery && {
        parameters: Object.entries(fields).map(([name, schema]) => ({
          name: plain(name),
          in: 'query',
          required: isRequired(name),
          schema: referring(schema),
        })),
      }),
    ...(fields &&
      !inQuery && { requestBody: { required: true, content: { 'application/json': { schema: objectOf(fields) } } } }),
    ...(takes && { requestBody: { required: true, content: { [takes]: { schema: bytes } } } }),
    responses: { 200: { description: 'Default Response', content } },
  }
}

/** What `/openapi.json` says of this wire. Under `/ajax-api` the same calls answer. */
export function mlflowDescriptions() {
  return {
    schemas: Object.fromEntries([...names].map(([schema, name]) => [name, referring(schema, schema)])),
    /** Of a route by method and path, `GET /api/2.0/mlflow/runs/get`; undefined when it is none of this wire's. */
    operation(route: string) {
      const [method, path] = route.split(' ') as [string, string]
      const call = /^\/api\/[23]\.0\/mlflow(\/.*)$/.exec(path)
      const name = `${method} ${call?.[1]}`
      const described = call ? (CALLS[name] ?? WEBHOOK_CALLS[name]) : (OTHERS[route] ?? UPLOAD_CALLS[route])
      return described && operationOf(method, described)
    },
  }
}
