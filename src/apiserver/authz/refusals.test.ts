import { expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { createRefusals, isComponent } from './refusals.ts'

const action = (name: string) => ({ isResourceRequest: true, path: '', verb: 'get', group: '', version: 'v1', namespace: 'x', resource: 'secrets', subresource: '', name })

it('knows who components act as', () => {
  for (const name of ['system:kube-scheduler', 'system:kube-controller-manager', 'system:kube-proxy', 'system:apiserver', 'system:node:n1', 'system:serviceaccount:kube-system:namespace-controller']) expect(isComponent({ name, groups: [] }), name).toBe(true)
  for (const name of ['ana', 'system:anonymous', 'system:serviceaccount:default:app', 'system:bootstrap:abcdef']) expect(isComponent({ name, groups: [] }), name).toBe(false)
})

it('says a refusal of a component once a minute, counts all, and says nothing of others', async () => {
  const said: object[] = []
  const clock = new FakeClock()
  const { refused, metric } = createRefusals({ clock, log: { ...quiet, warn: (fields) => void said.push(fields) } })
  const node = { name: 'system:node:n1', groups: ['system:nodes'] }
  for (const name of ['a', 'b', 'c']) refused(node, action(name), 'no relationship')
  refused({ name: 'ana', groups: [] }, action('a'), '')
  expect(said).toEqual([{ user: 'system:node:n1', verb: 'get', group: '', resource: 'secrets', namespace: 'x', name: 'a', reason: 'no relationship' }])
  expect((await metric.get()).values).toMatchObject([{ value: 3, labels: { verb: 'get', resource: 'secrets' } }])
  await clock.advance(60_001)
  refused(node, action('a'), '')
  expect(said).toHaveLength(2)
})
