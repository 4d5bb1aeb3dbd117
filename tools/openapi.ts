// The API's description, from the routes of the real server, and the types of the web client, from the description.
import { withApp } from './app.ts'
import { keep } from './generated.ts'
import { type OpenApiDocument, typesOf } from './openapi-types.ts'

/** Wires of others that are described too; under `/ajax-api` the same calls answer. */
const DESCRIBED = /^\/(api\/[23]\.0\/|serve\/|get-artifact|model-versions\/|version$|health$|ready$)/

const { document, table } = await withApp(async ({ url, parts }) => {
  const reply = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(10_000) })
  if (!reply.ok) throw new Error(`/openapi.json answers ${reply.status}`)
  return { document: (await reply.json()) as OpenApiDocument, table: parts.routes.table() }
})
const paths = Object.fromEntries(Object.entries(document.paths).sort(([a], [b]) => (a < b ? -1 : 1)))

for (const [path, methods] of Object.entries(paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const described = Object.entries(operation.responses ?? {}).some(
      ([status, { content }]) => /^2/.test(status) && (status === '204' || content),
    )
    if (described) continue
    process.stdout.write(`${method.toUpperCase()} ${path} does not say what it answers: give its route a reply\n`)
    process.exitCode = 1
  }
}
for (const { method, path } of table) {
  const written = path.replace(/:([A-Za-z_]+)|\*/g, (_, name?: string) => `{${name ?? '*'}}`)
  if (!DESCRIBED.test(path) || paths[written]?.[String(method).toLowerCase()]) continue
  process.stdout.write(`${method} ${path} is not described: add it to adapters/mlflow/described.ts\n`)
  process.exitCode = 1
}
// The client of the pages is of our own API.
const own = Object.fromEntries(Object.entries(paths).filter(([path]) => path.startsWith('/api/slipway/')))
keep({
  'server/openapi.json': `${JSON.stringify({ ...document, paths }, null, 2)}\n`,
  'web/src/api/schema.d.ts': typesOf({ ...document, paths: own }),
})
