/** The UI's files: its one page at its own addresses and nowhere else, its assets for ever, under a strict policy. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { DomainError } from '#kernel/errors.ts'
import type { Routes } from '#kernel/http/index.ts'

/** First segments that are pages of the UI; web/src/paths.ts has the same list, and a test compares them. */
export const UI_ROOTS = [
  'access',
  'alerts',
  'audit',
  'charts',
  'compatibility',
  'dataset-versions',
  'datasets',
  'endpoints',
  'experiments',
  'jobs',
  'lineage',
  'logged-models',
  'models',
  'monitors',
  'overview',
  'pipeline-runs',
  'pipelines',
  'releases',
  'retrainings',
  'runs',
  'why',
] as const

const DIST = join(dirname(fileURLToPath(import.meta.url)), '../../../web/dist')
const YEAR_MS = 365 * 24 * 60 * 60 * 1000
/** The build writes this where a nonce belongs. */
const NONCE_MARK = '__CSP_NONCE__'

const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    // Frames are for pages out of artifacts; they may go nowhere else either.
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')

export async function webRoutes(app: FastifyInstance, { routes }: { routes: Routes }): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(DIST, 'assets'),
    serve: false,
    preCompressed: true,
    maxAge: YEAR_MS,
    immutable: true,
    // It would look for the folder at once, and say so; a clone whose UI was not built still has its API.
    ...(!existsSync(DIST) && { root: dirname(fileURLToPath(import.meta.url)) }),
  })
  const page = async ({ reply }: { reply: FastifyReply }) => {
    const html = await readPage()
    const nonce = randomBytes(16).toString('base64')
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policy(nonce))
      .header('cache-control', 'no-store')
      .send(html.replaceAll(NONCE_MARK, nonce))
  }
  for (const path of ['/', ...UI_ROOTS.flatMap((root) => [`/${root}`, `/${root}/*`])]) {
    routes.route(app, { method: 'GET', path, may: 'anonymous', handle: page })
  }
  routes.route(app, {
    method: 'GET',
    path: '/assets/*',
    may: 'anonymous',
    handle: async ({ request, reply }) => {
      const name = (request.params as { '*': string })['*']
      if (!/^[\w.-]+$/.test(name) || !existsSync(join(DIST, 'assets', name)))
        throw new DomainError('not-found', `the UI has no file '${name.slice(0, 100)}'`, {
          remedy: 'Load the page again: it may be of an older version.',
        })
      return reply.sendFile(name)
    },
  })
}

/** Read each time: it is small, and a build may have taken its place. */
async function readPage(): Promise<string> {
  return readFile(join(DIST, 'index.html'), 'utf8').catch(() => {
    throw new DomainError('unavailable', 'the UI is not built here', {
      remedy: 'Run `npm run setup`; the API and the command line work without it.',
    })
  })
}
