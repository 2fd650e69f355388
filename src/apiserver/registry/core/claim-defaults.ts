/** Defaults of claims for storage, alone or in a stateful set. */
import type { core } from '../../../api/index.ts'
import { orDefault, within } from '../defaulting.ts'
import { claimSpecDefaults } from './defaults/volumes.ts'

export const claimDefaults = (claim: core.PersistentVolumeClaim): core.PersistentVolumeClaim =>
  within(within(claim, 'spec', claimSpecDefaults), 'status', (status) => orDefault(status, { phase: 'Pending' }))
