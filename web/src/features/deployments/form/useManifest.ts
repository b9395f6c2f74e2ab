import { zodResolver } from "@hookform/resolvers/zod";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { buildManifest, toYaml, valuesOfYaml } from "../manifest/build";
import { type DeploymentValues, deploymentSchema } from "../manifest/values";

/** The form and its manifest: what is typed in one shows in the other. */
export function useManifest(initial: DeploymentValues) {
  const form = useForm<DeploymentValues>({
    defaultValues: initial,
    resolver: zodResolver(deploymentSchema),
    mode: "onTouched",
  });
  const [initialText] = useState(() => toYaml(buildManifest(initial)));
  const [text, setText] = useState(initialText);
  const [isInForm, setIsInForm] = useState(true);

  useEffect(() => {
    const watching = form.watch((_values, { name }) => {
      // Without a name, the form was set from the text.
      if (name) setText(toYaml(buildManifest(form.getValues())));
    });
    return () => watching.unsubscribe();
  }, [form]);

  const edit = (next: string) => {
    setText(next);
    const values = valuesOfYaml(next);
    setIsInForm(values !== undefined);
    if (values) form.reset(values, { keepDefaultValues: true, keepTouched: true });
  };

  /** Back to what the form says. */
  const discardEdits = () => {
    setText(toYaml(buildManifest(form.getValues())));
    setIsInForm(true);
  };

  return {
    form,
    initialText,
    text,
    edit,
    discardEdits,
    /** Whether the form can show all that the text says. */
    isInForm,
  };
}
