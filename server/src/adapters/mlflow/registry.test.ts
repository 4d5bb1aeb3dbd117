import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'

const API = '/api/2.0/mlflow'

eachStore("MLflow's registry calls", (open) => {
  let server: MlflowServer
  beforeAll(async () => {
    server = await startMlflowServer(open)
  })
  afterAll(() => server?.close())

  const post = (path: string, body: unknown) => server.call('POST', `${API}/${path}`, body)
  const get = (path: string) => server.call('GET', `${API}/${path}`)
  const send = (method: string, path: string, body: unknown) => server.call(method, `${API}/${path}`, body)
  const ok = async (answer: Promise<{ status: number; body: Record<string, unknown> }>) => {
    const { status, body } = await answer
    expect(status, JSON.stringify(body)).toBe(200)
    // biome-ignore lint/suspicious/noExplicitAny: answers of a foreign wire
    return body as any
  }
  const refused = async (answer: Promise<{ status: number; body: Record<string, unknown> }>) => {
    const { status, body } = await answer
    return [status, body.error_code, body.message]
  }
  /** A run with one file under `model`, and a version of `name` made from it. */
  const version = async (name: string, extra: object = {}) => {
    const { run } = await ok(post('runs/create', { experiment_id: '0' }))
    const root = String(run.info.artifact_uri).replace('mlflow-artifacts:/', '')
    const put = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${root}/model/MLmodel`, {
      method: 'PUT',
      body: 'flavors: {python_function: {python_version: 3.11.7}}',
    })
    expect(put.status).toBe(200)
    const source = `runs:/${run.info.run_id}/model`
    const made = await ok(post('model-versions/create', { name, source, run_id: run.info.run_id, ...extra }))
    return { version: made.model_version, run_id: run.info.run_id as string, root }
  }

  test('a model is made, read, described, tagged and deleted', async () => {
    const tags = [{ key: 'team', value: 'crm' }]
    const made = await ok(post('registered-models/create', { name: 'churn', tags, description: 'who leaves' }))
    expect(made.registered_model).toMatchObject({
      name: 'churn',
      description: 'who leaves',
      tags,
      aliases: [],
      latest_versions: [],
    })
    expect(await refused(post('registered-models/create', { name: 'churn' }))).toEqual([
      400,
      'RESOURCE_ALREADY_EXISTS',
      'Registered Model (name=churn) already exists.',
    ])
    expect(await refused(get('registered-models/get?name=nobody'))).toEqual([
      404,
      'RESOURCE_DOES_NOT_EXIST',
      'Registered Model with name=nobody not found',
    ])
    expect((await refused(post('registered-models/create', { name: '' })))[2]).toMatch(
      /^Missing value for required parameter 'name'/,
    )
    await ok(send('PATCH', 'registered-models/update', { name: 'churn', description: 'soon' }))
    await ok(post('registered-models/set-tag', { name: 'churn', key: 'phase', value: 'two' }))
    await ok(send('DELETE', 'registered-models/delete-tag', { name: 'churn', key: 'team' }))
    await ok(send('DELETE', 'registered-models/delete-tag', { name: 'churn', key: 'team' }))
    const { registered_model } = await ok(get('registered-models/get?name=churn'))
    expect(registered_model).toMatchObject({ description: 'soon', tags: [{ key: 'phase', value: 'two' }] })
    await ok(post('registered-models/rename', { name: 'churn', new_name: 'leavers' }))
    await ok(send('DELETE', 'registered-models/delete', { name: 'leavers' }))
    expect((await refused(send('DELETE', 'registered-models/delete', { name: 'leavers' })))[1]).toBe(
      'RESOURCE_DOES_NOT_EXIST',
    )
  })

  test('a version is READY at once, its number is text, and its files can be opened', async () => {
    await ok(post('registered-models/create', { name: 'risk' }))
    const first = await version('risk', {
      description: 'first',
      tags: [{ key: 'a', value: 'b' }],
      run_link: 'https://r.example',
    })
    expect(first.version).toMatchObject({
      name: 'risk',
      version: '1',
      status: 'READY',
      current_stage: 'None',
      description: 'first',
      run_id: first.run_id,
      run_link: 'https://r.example',
      tags: [{ key: 'a', value: 'b' }],
      aliases: [],
    })
    const { artifact_uri } = await ok(get('model-versions/get-download-uri?name=risk&version=1'))
    expect(artifact_uri).toMatch(/^mlflow-artifacts:\/models-registry\//)
    const path = artifact_uri.replace('mlflow-artifacts:/', '')
    const proxy = `${server.url}/api/2.0/mlflow-artifacts/artifacts`
    expect(await (await fetch(`${proxy}?path=${path}`)).json()).toEqual({
      files: [{ path: 'MLmodel', is_dir: false, file_size: 52 }],
    })
    expect(await (await fetch(`${proxy}/${path}/MLmodel`)).text()).toContain('python_function')
    const shown = await fetch(`${server.url}/model-versions/get-artifact?name=risk&version=1&path=MLmodel`)
    expect([shown.status, shown.headers.get('content-disposition')]).toEqual([200, expect.stringContaining('MLmodel')])
    for (const method of ['PUT', 'DELETE']) {
      const answer = await fetch(`${proxy}/${path}/MLmodel`, { method, ...(method === 'PUT' && { body: 'other' }) })
      expect([method, answer.status]).toEqual([method, 409])
    }
    const missing = await fetch(`${server.url}/model-versions/get-artifact?name=risk&version=1&path=../secret`)
    expect(missing.status).toBe(400)
    expect(await refused(get('model-versions/get?name=risk&version=7'))).toEqual([
      404,
      'RESOURCE_DOES_NOT_EXIST',
      'Model Version (name=risk, version=7) not found',
    ])
    expect(await refused(get('model-versions/get?name=risk&version=one'))).toEqual([
      400,
      'INVALID_PARAMETER_VALUE',
      "Parameter 'version' must be an integer, got 'one'.",
    ])
    expect((await refused(get('model-versions/get?name=risk')))[2]).toMatch(
      /^Missing value for required parameter 'version'/,
    )
    expect((await refused(post('model-versions/create', { name: 'risk', source: '/tmp/x' })))[2]).toMatch(
      /^Invalid model version source: '\/tmp\/x'/,
    )
    expect(
      (await ok(send('PATCH', 'model-versions/update', { name: 'risk', version: 1, description: 'x' }))).model_version
        .description,
    ).toBe('x')
  })

  test('aliases answer as the client asks after them', async () => {
    await ok(post('registered-models/create', { name: 'alias' }))
    await version('alias')
    await version('alias')
    await ok(post('registered-models/alias', { name: 'alias', alias: 'champion', version: '1' }))
    await ok(post('registered-models/alias', { name: 'alias', alias: 'champion', version: 2 }))
    expect((await ok(get('registered-models/alias?name=alias&alias=champion'))).model_version).toMatchObject({
      version: '2',
      aliases: ['champion'],
    })
    expect((await ok(get('registered-models/get?name=alias'))).registered_model.aliases).toEqual([
      { alias: 'champion', version: '2' },
    ])
    expect(await refused(get('registered-models/alias?name=alias&alias=nobody'))).toEqual([
      400,
      'INVALID_PARAMETER_VALUE',
      'Registered model alias nobody not found.',
    ])
    expect((await refused(post('registered-models/alias', { name: 'alias', alias: 'x', version: '9' })))[1]).toBe(
      'RESOURCE_DOES_NOT_EXIST',
    )
    await ok(send('DELETE', 'registered-models/alias?name=alias&alias=nobody', undefined))
    await server.store.write((tx) =>
      server.holds.place(
        tx,
        'default',
        { kind: 'model', id: 'alias@champion' },
        { kind: 'release', id: 'rel_7' },
        'release rel_7 serves it at endpoint live',
      ),
    )
    const [status, code, message] = await refused(
      post('registered-models/alias', { name: 'alias', alias: 'champion', version: '1' }),
    )
    expect([status, code]).toEqual([409, 'RESOURCE_CONFLICT'])
    expect(message).toMatch(/release rel_7 serves it at endpoint live.*a release moves it/)
  })

  test('stages and newest versions work for old clients', async () => {
    await ok(post('registered-models/create', { name: 'stages' }))
    await version('stages')
    await version('stages')
    const move = (version: string, stage: string, archive_existing_versions = false) =>
      post('model-versions/transition-stage', { name: 'stages', version, stage, archive_existing_versions })
    await ok(move('1', 'production'))
    expect((await ok(move('2', 'PRODUCTION', true))).model_version.current_stage).toBe('Production')
    const newest = async (ask: Promise<{ status: number; body: Record<string, unknown> }>) =>
      (await ok(ask)).model_versions.map((each: { version: string; current_stage: string }) => [
        each.version,
        each.current_stage,
      ])
    expect(await newest(post('registered-models/get-latest-versions', { name: 'stages' }))).toEqual([
      ['1', 'Archived'],
      ['2', 'Production'],
    ])
    expect(await newest(get('registered-models/get-latest-versions?name=stages&stages=production'))).toEqual([
      ['2', 'Production'],
    ])
    expect((await refused(move('1', 'live')))[2]).toBe(
      'Invalid Model Version stage: live. Value must be one of None, Staging, Production, Archived.',
    )
    expect((await refused(move('1', 'None', true)))[0]).toBe(400)
  })

  test('searches page to an end, refuse what they cannot read, and leave prompts out', async () => {
    for (const name of ['s1', 's2', 's3'])
      await ok(post('registered-models/create', { name, tags: [{ key: 'set', value: 's' }] }))
    const prompt = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]
    await ok(post('registered-models/create', { name: 's4', tags: [...prompt, { key: 'set', value: 's' }] }))
    await ok(
      post('model-versions/create', {
        name: 's4',
        source: 'dummy-source',
        tags: [...prompt, { key: 'mlflow.prompt.text', value: 'Hi' }],
      }),
    )
    const filter = encodeURIComponent("tags.`set` = 's'")
    const first = await ok(get(`registered-models/search?filter=${filter}&max_results=2&order_by=name DESC`))
    expect(first.registered_models.map(({ name }: { name: string }) => name)).toEqual(['s3', 's2'])
    const next = `registered-models/search?filter=${filter}&max_results=2&order_by=name DESC&page_token=${first.next_page_token}`
    expect(await ok(get(next))).toMatchObject({ registered_models: [{ name: 's1' }] })
    expect((await ok(get(next))).next_page_token).toBeUndefined()
    const versions = await ok(get(`model-versions/search?filter=${encodeURIComponent("name='s4'")}`))
    expect(versions.model_versions).toEqual([])
    for (const query of [
      'filter=name%20~%20x',
      'max_results=0',
      'max_results=1001',
      'page_token=nonsense',
      'order_by=colour',
    ]) {
      expect((await refused(get(`registered-models/search?${query}`))).slice(0, 2), query).toEqual([
        400,
        'INVALID_PARAMETER_VALUE',
      ])
    }
  })
})
