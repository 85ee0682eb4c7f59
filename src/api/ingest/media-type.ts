/**
 * Returns the type that a request gives its body, without parameters; empty where it gives none.
 */
export function mediaTypeOf(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

export function isProtobufType(type: string): boolean {
  return /^application\/(?:x-)?protobuf$/.test(type);
}
