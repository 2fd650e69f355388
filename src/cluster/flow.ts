/** Flow control: its flags. */
import type { FlowOptions } from '../apiserver/flowcontrol/setup.ts'
import { defaultFlow } from '../apiserver/flowcontrol/setup.ts'
import { argumentBoolean, argumentNumber, type ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'

/** What `enable-priority-and-fairness`, `max-requests-inflight` and `max-mutating-requests-inflight` say. Throws `UserError` when they would let no request in. */
export function flowOf(all: ApiServerArguments | undefined): FlowOptions {
  const fair = argumentBoolean(all, 'enable-priority-and-fairness') ?? defaultFlow.fair
  const maxRequests = argumentNumber(all, 'max-requests-inflight') ?? defaultFlow.maxRequests
  const maxMutating = argumentNumber(all, 'max-mutating-requests-inflight') ?? defaultFlow.maxMutating
  if (fair && maxRequests + maxMutating === 0) throw new UserError('max-requests-inflight and max-mutating-requests-inflight together must be positive while enable-priority-and-fairness is true')
  return { fair, maxRequests, maxMutating }
}
