/** Whether answers are what `/openapi.json` says they are. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: object }> }>
}
interface Described {
  paths: Record<string, Record<string, Operation>>
}

/** `route` as it stands in the route table. Answers what is wrong, or undefined; what is not JSON has only its type compared. */
export type AnswerCheck = (
  method: string,
  route: string,
  answer: { status: number; type: string; text: string },
) => string | undefined

export function answerCheck(document: Described): AnswerCheck {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false })
  ajv.addSchema(document, 'api')
  const compiled = new Map<string, ValidateFunction>()
  const escaped = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')
  return (method, route, { status, type, text }) => {
    const path = route.replace(/:([A-Za-z_]+)|\*/g, (_, name) => `{${name ?? '*'}}`)
    const operation = document.paths[path]?.[method.toLowerCase()]
    if (!operation) return undefined
    const key = operation.responses[status] ? String(status) : status >= 400 ? 'default' : ''
    const content = operation.responses[key]?.content
    if (!content) return [206, 304, 416].includes(status) ? undefined : `answers ${status}, which is not described`
    const media = type.split(';')[0]!.trim()
    if (!content[media])
      return content['*/*'] ? undefined : `answers '${media}', not ${Object.keys(content).join(' or ')}`
    if (!/json$/.test(media)) return undefined
    const at = `api#/paths/${escaped(path)}/${method.toLowerCase()}/responses/${key}/content/${escaped(media)}/schema`
    let validate = compiled.get(at)
    if (!validate) {
      validate = ajv.compile({ $ref: encodeURI(at) })
      compiled.set(at, validate)
    }
    if (validate(text.trim() === '' ? {} : JSON.parse(text))) return undefined
    const [first] = validate.errors!
    return `answers ${status} where ${first!.instancePath || 'it'} ${first!.message}`
  }
}
