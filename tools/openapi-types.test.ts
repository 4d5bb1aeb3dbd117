import { expect, test } from 'vitest'
import { type OpenApiDocument, typeOf, typesOf } from './openapi-types.ts'

test.each([
  [{ type: 'string' }, 'string'],
  [{ type: 'integer', minimum: 1 }, 'number'],
  [{ type: ['string', 'null'] }, 'string | null'],
  [{ anyOf: [{ const: 'a' }, { const: 'b' }, { type: 'null' }] }, '"a" | "b" | null'],
  [{ enum: ['a', 2, null] }, '"a" | 2 | null'],
  [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } }, '(string | number)[]'],
  [{ type: 'array', prefixItems: [{ type: 'string' }, { type: 'boolean' }] }, '[string, boolean]'],
  [{ type: 'object' }, '{ [key: string]: unknown }'],
  [{ type: 'object', additionalProperties: false }, 'Record<string, never>'],
  [{ type: 'object', patternProperties: { '^.*$': { type: 'number' } } }, '{\n  [key: string]: number\n}'],
  [
    { type: 'object', required: ['a'], properties: { a: { type: 'string' }, 'b-c': { type: 'boolean' } } },
    "{\n  a: string\n  'b-c'?: boolean\n}",
  ],
  [{ $ref: '#/components/schemas/Run' }, "components['schemas']['Run']"],
  [{ allOf: [{ type: 'string' }, {}] }, '(string) & (unknown)'],
  [{}, 'unknown'],
])('%j is %s', (schema, type) => {
  expect(typeOf(schema)).toBe(type)
})

test('what has no type is an error that names the place', () => {
  expect(() => typeOf({ not: { type: 'string' } }, 0, 'get /runs')).toThrow('get /runs')
})

test('paths have parameters, body and responses as openapi-fetch takes them', () => {
  const document: OpenApiDocument = {
    openapi: '3.1.0',
    info: { title: 'x', version: '1' },
    paths: {
      '/models/{model}': {
        put: {
          summary: 'Names a model',
          parameters: [
            { name: 'model', in: 'path', required: true, schema: { type: 'string' } },
            { name: 'limit', in: 'query', schema: { type: 'integer' } },
          ],
          requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
          responses: { 200: { description: 'ok', content: { 'application/json': { schema: { type: 'string' } } } } },
        },
      },
    },
  }
  expect(typesOf(document)).toMatchInlineSnapshot(`
    "// Generated from server/openapi.json by \`npm run gen\`; \`npm run check\` compares. Do not edit.
    export interface paths {
      '/models/{model}': {
        /** Names a model */
        put: {
          parameters: { path: { model: string }; query?: { limit?: number } }
          requestBody: { content: { 'application/json': { [key: string]: unknown } } }
          responses: {
            200: { headers: { [name: string]: unknown }; content: { 'application/json': string } }
          }
        }
      }
    }
    export interface components {
      schemas: Record<string, never>
    }
    "
  `)
})
