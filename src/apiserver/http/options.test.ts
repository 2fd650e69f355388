import { expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { attributes, type Call } from '../registry/call.ts'
import { writeQuery } from './options.ts'
import type { ApiRequest } from './request.ts'

const request = (query: string) => ({ query: new URLSearchParams(query), headers: { 'user-agent': 'kubectl/v1.36.4 (linux/amd64)' } }) as unknown as ApiRequest

it('fills in who manages the fields and how they are checked, and shows admission only what was asked for', () => {
  expect(writeQuery(request(''), 'CreateOptions')).toEqual({ dryRun: false, fieldManager: 'kubectl', fieldValidation: 'Warn', options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' } })
  expect(writeQuery(request('fieldManager=me&fieldValidation=Strict&dryRun=All'), 'UpdateOptions').options).toEqual({
    kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'], fieldManager: 'me', fieldValidation: 'Strict',
  })
})

it('admission hears of a patch as of the creation or the update that it is', () => {
  const served = { resource: core.configmaps, storage: core.configmaps, others: () => [] }
  const call = { served, options: { kind: 'PatchOptions', fieldManager: 'me' } } as unknown as Call
  const object = { metadata: { name: 'm' } } as unknown as ApiObject
  expect(attributes(call, 'UPDATE', object, object).options).toEqual({ kind: 'UpdateOptions', fieldManager: 'me' })
  expect(attributes(call, 'CREATE', object, undefined).options).toEqual({ kind: 'CreateOptions', fieldManager: 'me' })
})
