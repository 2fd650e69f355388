/** Who makes a request. */
export interface Identity {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const anonymous: Identity = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
