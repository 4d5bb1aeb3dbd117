// The API's description, from the routes of the real server, and the types of the web client, from the description.
import { withApp } from './app.ts'
import { keep } from './generated.ts'
import { type OpenApiDocument, typesOf } from './openapi-types.ts'

const document = await withApp(async ({ url }) => {
  const reply = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(10_000) })
  if (!reply.ok) throw new Error(`/openapi.json answers ${reply.status}`)
  return (await reply.json()) as OpenApiDocument
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
keep({
  'server/openapi.json': `${JSON.stringify({ ...document, paths }, null, 2)}\n`,
  'web/src/api/schema.d.ts': typesOf({ ...document, paths }),
})
