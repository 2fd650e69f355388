/** Tables as clients get them, where they are more than columns and cells. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiextensions, apps, core, flowcontrol } from '../../api/index.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer
beforeAll(async () => {
  started = await startTestServer()
  await started.server.listen()
})
afterAll(() => started.server.close())

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly type: string; readonly format: string }[]
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly conditions?: readonly object[] }[]
}
async function table(path: string): Promise<Table> {
  const response = await fetch(`${started.server.url}${path}`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
  expect(response.status).toBe(200)
  return await response.json() as Table
}

describe('a table', () => {
  it('says of pods that ran to their end that they did', async () => {
    for (const [name, phase] of [['a', 'Running'], ['b', 'Succeeded'], ['c', 'Failed']] as const) {
      const pod = await started.client.create(core.pods, { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
      await started.client.updateStatus(core.pods, { ...pod, status: { ...pod.status, phase } })
    }
    const { rows } = await table('/api/v1/namespaces/default/pods')
    expect(rows.map(({ cells, conditions }) => [cells[0], conditions])).toEqual([
      ['a', undefined],
      ['b', [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }]],
      ['c', [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }]],
    ])
  })

  it('has flow schemas in the order in which they are tried', async () => {
    const before = (await table('/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas')).rows.map(({ cells }) => cells[0])
    for (const [name, matchingPrecedence] of [['a', 900], ['b', 50], ['d', 70], ['c', 70]] as const) {
      await started.client.create(flowcontrol.flowschemas, { metadata: { name }, spec: { matchingPrecedence, priorityLevelConfiguration: { name: 'l' } } })
    }
    const { rows } = await table('/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas')
    expect(rows.map(({ cells }) => cells[0]).filter((name) => !before.includes(name))).toEqual(['b', 'c', 'd', 'a'])
  })

  it('of a scale has other types for kinds of the server than for custom ones', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
    await started.client.create(apps.deployments, { metadata: { name: 'web', namespace: 'default' }, spec: { selector: { matchLabels: { a: 'b' } }, template } })
    const shown = ({ columnDefinitions }: Table) => columnDefinitions.map(({ name, type, format }) => [name, type, format])
    expect(shown(await table('/apis/apps/v1/namespaces/default/deployments/web/scale')))
      .toEqual([['Name', 'string', ''], ['Desired', 'integer', ''], ['Available', 'integer', ''], ['Age', 'string', '']])

    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { replicas: { type: 'integer' } } }, status: { type: 'object', properties: { replicas: { type: 'integer' } } } } } }
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
    await started.client.create(apiextensions.customresourcedefinitions, {
      metadata: { name: 'things.example.com' },
      spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { scale } }] },
    })
    const path = `${started.server.url}/apis/example.com/v1/namespaces/default/things`
    await expect.poll(async () => (await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'Thing', apiVersion: 'example.com/v1', metadata: { name: 'a' }, spec: { replicas: 1 } }) })).status).toBe(201)
    expect(shown(await table('/apis/example.com/v1/namespaces/default/things/a/scale')))
      .toEqual([['Name', 'string', 'name'], ['Desired', 'integer', ''], ['Available', 'integer', ''], ['Age', 'date', '']])
  })
})
