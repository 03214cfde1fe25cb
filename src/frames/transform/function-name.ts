import { inner, type Node } from "./parse.js";

/** What a function is called where nothing names it itself: by what it is given to. `parents` are the nodes around it, the nearest last. */
export function functionName(node: Node, parents: readonly Node[]): string | undefined {
  if (node.id) return node.id.name as string;
  let i = parents.length - 1;
  while (parents[i]?.type === "ParenthesizedExpression") i--;
  const parent = parents[i];
  switch (parent?.type) {
    case "VariableDeclarator":
      return nameOf(parent.id);
    case "AssignmentExpression":
    case "AssignmentPattern":
      return nameOf(parent.left);
    case "Property":
      return parent.value === node ? keyOf(parent) : undefined;
    case "MethodDefinition":
    case "PropertyDefinition": {
      const key = keyOf(parent);
      const owner = parents[i - 2];
      const className = owner === undefined ? undefined : functionName(owner, parents.slice(0, i - 2));
      return className === undefined || key === undefined ? key : `${className}.${key}`;
    }
    case "CallExpression": {
      // esbuild's way to keep a name.
      const [target, name] = parent.arguments as readonly Node[];
      const isKept = parent.callee.name === "__name" && target !== undefined && inner(target) === node;
      return isKept && typeof name?.value === "string" ? name.value : undefined;
    }
    default:
      return undefined;
  }
}

function nameOf(target: Node): string | undefined {
  if (target.type === "Identifier") return target.name as string;
  return target.type === "MemberExpression" && !target.computed ? keyName(target.property) : undefined;
}

function keyOf({ computed, key }: Node): string | undefined {
  return computed ? undefined : keyName(key);
}

function keyName(key: Node): string | undefined {
  if (key.type === "Identifier") return key.name as string;
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  // A line feed would be the end of the name.
  return key.type === "Literal" ? String(key.value).replaceAll("\n", " ") : undefined;
}
