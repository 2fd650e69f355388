import { afterEach, expect, it } from 'vitest'
import { admissionregistration, core, flowcontrol, node, scheduling } from '../../api/index.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer | undefined
afterEach(() => started?.server.close())

async function start() {
  started = await startTestServer()
  return started.client
}

const level = { metadata: { name: 'a' }, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } } } }
const schema = { metadata: { name: 'a' }, spec: { priorityLevelConfiguration: { name: 'a' }, matchingPrecedence: 500 } }

it('flow control can be updated without saying of which version', async () => {
  const client = await start()
  for (const [resource, body] of [[flowcontrol.flowschemas, schema], [flowcontrol.prioritylevelconfigurations, level]] as const) {
    await client.create(resource as typeof flowcontrol.flowschemas, body as never)
    const next = await client.update(resource as typeof flowcontrol.flowschemas, { ...body, metadata: { name: 'a', labels: { b: 'c' } } } as never)
    expect(next.metadata).toMatchObject({ labels: { b: 'c' }, generation: 1 })
  }
})

it('who writes the status of flow control or of a policy writes none of its metadata', async () => {
  const client = await start()
  const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }]
  const policy = { metadata: { name: 'a' }, spec: { matchConstraints: { resourceRules: rules }, validations: [{ expression: 'true' }] } }
  for (const [resource, body] of [[flowcontrol.flowschemas, schema], [flowcontrol.prioritylevelconfigurations, level], [admissionregistration.validatingadmissionpolicies, policy]] as const) {
    const made = await client.create(resource as typeof flowcontrol.flowschemas, { ...body, metadata: { name: 'a', finalizers: ['example.com/a'] } } as never)
    const condition = { type: 'Odd', status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
    const metadata = { ...made.metadata, labels: { b: 'c' }, annotations: { b: 'c' }, finalizers: [] }
    const next = await client.updateStatus(resource as typeof flowcontrol.flowschemas, { ...made, metadata, status: { conditions: [condition] } } as never, { fieldManager: 'writer' })
    expect(next).toMatchObject({ metadata: { finalizers: ['example.com/a'] }, status: { conditions: [{ type: 'Odd' }] } })
    expect(Object.keys(next.metadata)).not.toEqual(expect.arrayContaining(['labels']))
    expect(Object.keys(next.metadata)).not.toEqual(expect.arrayContaining(['annotations']))
    expect(next.metadata.managedFields?.find(({ manager }) => manager === 'writer')?.fieldsV1).not.toHaveProperty('f:metadata')
  }
})

it('the status of a policy says where its warnings are', async () => {
  const client = await start()
  const made = await client.create(admissionregistration.validatingadmissionpolicies, { metadata: { name: 'a' }, spec: { matchConstraints: { resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] }, validations: [{ expression: 'true' }] } } as never)
  const warned = (expressionWarnings: object[]) => client.updateStatus(admissionregistration.validatingadmissionpolicies, { ...made, status: { ...made.status, typeChecking: { expressionWarnings } } } as never)
  await expect(warned([{ fieldRef: ' ', warning: '' }])).rejects.toMatchObject({ code: 422, message: expect.stringContaining('[status.typeChecking.expressionWarnings[0].warning: Required value, status.typeChecking.expressionWarnings[0].fieldRef: Required value]') as string })
  await expect(warned([{ fieldRef: 'spec[', warning: 'w' }])).rejects.toThrow('status.typeChecking.expressionWarnings[0].fieldRef: Invalid value: "spec[": invalid JSONPath: ')
  await warned([{ fieldRef: 'spec.validations[0].expression', warning: 'w' }])
})

it('the generation of a priority class stays 1', async () => {
  const client = await start()
  const made = await client.create(scheduling.priorityclasses, { metadata: { name: 'a' }, value: 1 } as never)
  expect((await client.update(scheduling.priorityclasses, { ...made, description: 'b' })).metadata.generation).toBe(1)
})

it('a limit range without a name gets one', async () => {
  const client = await start()
  const made = await client.create(core.limitranges, { metadata: { namespace: 'default' }, spec: { limits: [] } } as never)
  expect(made.metadata.name).toMatch(/^[0-9a-f-]{36}$/)
})

it('a runtime class is made by an update too', async () => {
  const client = await start()
  expect((await client.update(node.runtimeclasses, { metadata: { name: 'a' }, handler: 'runc' } as never)).metadata.generation).toBeUndefined()
})
