import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { attributesOf, environment, type Loose } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { podResizeValidator } from './pod-resize-validator.ts'

const node = (name: string, labels: object = { 'kubernetes.io/os': 'linux' }): Loose => ({ kind: 'Node', metadata: { name, labels } as never, status: { allocatable: { cpu: '2', memory: '1Gi' } } })
const chain = createAdmissionChain([podResizeValidator(environment(node('n'), node('bare', {}), node('w', { 'kubernetes.io/os': 'windows' })))])
const pod = (requests: object, more: object = {}): Loose => ({ kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { nodeName: 'n', containers: [{ name: 'a', resources: { requests } }], ...more }, status: {} })

function resize(requests: object, more: object = {}, old: object = { cpu: '100m' }): ApiError | undefined {
  try {
    void chain.validate(attributesOf(core.pods, pod(requests, more), { operation: 'UPDATE', subresource: 'resize', old: pod(old, more) }))
    return undefined
  } catch (error) {
    return error as ApiError
  }
}

describe('a pod that grows while it runs', () => {
  it('asks for what its node has, or may have once others are gone', () => {
    expect(resize({ cpu: '2', memory: '1Gi' })).toBeUndefined()
    expect(resize({ cpu: '2' }, { nodeName: 'bare' })).toBeUndefined()
    expect(resize({ cpu: '64' }, { nodeName: undefined })).toBeUndefined()
  })

  it('is told what is too much, with the cause that autoscalers look for', () => {
    const refusal = resize({ cpu: '2500m', memory: '2Gi' })
    expect(refusal?.message).toBe('pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 2500, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824')
    expect(refusal?.status).toMatchObject({ code: 403, reason: 'Forbidden', details: { name: 'p', kind: 'pods', causes: [{ reason: 'NodeCapacity' }] } })
    expect(resize({ cpu: '2' }, { overhead: { cpu: '1m' } })?.message).toContain('cpu, requested: 2001, allocatable: 2000')
  })

  it('runs on a node that is there, and can do it', () => {
    expect(resize({ cpu: '1' }, { nodeName: 'gone' })?.message).toBe('pods "p" is forbidden: node "gone" not found')
    const refusal = resize({ cpu: '1' }, { nodeName: 'w' })
    expect(refusal?.message).toBe('pods "p" is forbidden: pod resize is only supported on linux nodes, node "w" is "windows"')
    expect(refusal?.status.details?.causes).toEqual([{ reason: 'UnsupportedPlatform' }])
  })

  it('is not asked about what does not change', () => {
    expect(resize({ cpu: '64' }, { nodeName: 'gone' }, { cpu: '64' })).toBeUndefined()
  })
})
