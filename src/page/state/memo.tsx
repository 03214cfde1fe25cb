import { Component, type ComponentChildren, type FunctionComponent } from "preact";

/** A component that is rendered again only when a property is another one, or when `same` says so. */
export function memo<Props extends object>(
  Render: (props: Props) => ComponentChildren,
  same: (next: Props, before: Props) => boolean = shallow,
): FunctionComponent<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      return !same(next, this.props as Props);
    }
    render() {
      return <Render {...(this.props as Props)} />;
    }
  } as unknown as FunctionComponent<Props>;
}

function shallow(next: object, before: object): boolean {
  const names = Object.keys(next) as (keyof object)[];
  return names.length === Object.keys(before).length && names.every((name) => next[name] === before[name]);
}
