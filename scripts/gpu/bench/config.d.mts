export function configBytes(json: object): Buffer;
