/** What is to be said about a credential besides whose it is: to audit, and to the client. */

export interface Remarks {
  /** For audit, by their names. */
  readonly annotations: Readonly<Record<string, string>>
  /** For the client. */
  readonly warnings?: readonly string[]
}

const known = new WeakMap<object, Remarks>()

/** Notes the remarks about the credential that a request carries. */
export const remark = (request: object, remarks: Remarks): void => void known.set(request, remarks)

/** What was noted about a request; undefined, almost always, for nothing. */
export const remarksOf = (request: object): Remarks | undefined => known.get(request)

/** A credential that does not hold, with something to be said about it. */
export class RemarkableError extends Error {
  readonly remarks: Remarks
  constructor(message: string, remarks: Remarks) {
    super(message)
    this.remarks = remarks
  }
}

/** The remarks of a refusal, or of one of several that were thrown together. */
export function remarksOfError(error: unknown): Remarks | undefined {
  if (error instanceof RemarkableError) return error.remarks
  return error instanceof AggregateError ? error.errors.map(remarksOfError).find((remarks) => remarks !== undefined) : undefined
}
