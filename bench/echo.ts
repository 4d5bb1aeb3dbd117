/** The least that an answer over HTTP by Fastify costs: parses the JSON of a request and sends it back. Writes its address. */
import { fastify } from 'fastify'

const app = fastify({ logger: false })
app.post('/invocations', async (request) => request.body)
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${(app.server.address() as { port: number }).port}\n`)
