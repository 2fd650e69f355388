import { expect, it } from 'vitest'
import { parseArguments } from './apiserver-arguments.ts'
import { flowOf } from './flow.ts'

it('takes the limits of flow control from the flags of kube-apiserver', () => {
  expect(flowOf(undefined)).toEqual({ fair: true, maxRequests: 400, maxMutating: 200 })
  expect(flowOf(parseArguments(['max-requests-inflight=50', 'max-mutating-requests-inflight=0']))).toEqual({ fair: true, maxRequests: 50, maxMutating: 0 })
  expect(flowOf(parseArguments(['enable-priority-and-fairness=false', 'max-requests-inflight=0', 'max-mutating-requests-inflight=0']))).toEqual({ fair: false, maxRequests: 0, maxMutating: 0 })
})

it('refuses limits that let nobody in', () => {
  expect(() => flowOf(parseArguments(['max-requests-inflight=0', 'max-mutating-requests-inflight=0']))).toThrow('together must be positive')
  expect(() => parseArguments(['max-requests-inflight=many'])).toThrow('is not a whole number')
})
