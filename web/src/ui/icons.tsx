/** The icons: strokes on a grid of 24. */
import SvgIcon, { type SvgIconProps } from "@mui/material/SvgIcon";
import type { ReactNode } from "react";

function Stroke({ children, ...rest }: SvgIconProps & { children: ReactNode }) {
  return (
    <SvgIcon
      fontSize="small"
      {...rest}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      style={{ fill: "none" }}
    >
      {children}
    </SvgIcon>
  );
}

function pathIcon(...paths: string[]) {
  const shape = paths.map((path) => <path key={path} d={path} />);
  return function Icon(props: SvgIconProps) {
    return <Stroke {...props}>{shape}</Stroke>;
  };
}

const circle = (x: number, y: number, r: number) =>
  `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;

export const AddIcon = pathIcon("M12 5v14M5 12h14");
export const ArrowDownIcon = pathIcon("M12 5v14", "M6 13l6 6 6-6");
export const ArrowRightIcon = pathIcon("M5 12h14", "M13 6l6 6-6 6");
export const CheckIcon = pathIcon("M5 12.5l4.5 4.5L19 7.5");
export const CheckCircleIcon = pathIcon(circle(12, 12, 9), "M8 12.5l2.8 2.8L16 9.5");
export const ChevronDownIcon = pathIcon("M6 9l6 6 6-6");
export const ChevronLeftIcon = pathIcon("M15 6l-6 6 6 6");
export const ChevronRightIcon = pathIcon("M9 6l6 6-6 6");
export const ClockIcon = pathIcon(circle(12, 12, 9), "M12 7v5.2l3.2 2");
export const CloseIcon = pathIcon("M6 6l12 12M18 6L6 18");
export const CodeIcon = pathIcon("M8.5 7L3.5 12l5 5", "M15.5 7l5 5-5 5");
export const ColumnsIcon = pathIcon("M4 5h16v14H4z", "M9.5 5v14M14.5 5v14");
export const CopyIcon = pathIcon(
  "M9 9h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1z",
  "M5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1",
);
export const DarkIcon = pathIcon("M20 14.5A8.2 8.2 0 0 1 9.5 4a8.2 8.2 0 1 0 10.5 10.5z");
export const DeleteIcon = pathIcon(
  "M4 7h16",
  "M9.5 7V4.5h5V7",
  "M6 7l1 12.5a1 1 0 0 0 1 .9h8a1 1 0 0 0 1-.9L18 7",
  "M10 11v5.5M14 11v5.5",
);
export const DownloadIcon = pathIcon(
  "M12 4.5V16",
  "M7 11l5 5 5-5",
  "M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
);
export const EditIcon = pathIcon(
  "M4 20l1-4.5L16.2 4.3a1.8 1.8 0 0 1 2.5 0l1 1a1.8 1.8 0 0 1 0 2.5L8.5 19z",
  "M14.5 6l3.5 3.5",
);
export const ErrorIcon = pathIcon(circle(12, 12, 9), "M12 7.5v5.5", "M12 16.3v.1");
export const FilterIcon = pathIcon("M4 6h16M7 12h10M10.5 18h3");
export const FilterAddIcon = pathIcon("M3 6h14M6 12h8M9.5 18h1", "M19 11v6M16 14h6");
export const FormatIcon = pathIcon("M4 6h16M9 12h11M9 18h11M4 12v.1M4 18v.1");
export const HelpIcon = pathIcon(
  circle(12, 12, 9),
  "M9.5 9.5a2.6 2.6 0 1 1 3.6 2.4c-.7.3-1.1.8-1.1 1.6",
  "M12 16.6v.1",
);
export const HistoryIcon = pathIcon("M4 12a8 8 0 1 0 2.6-5.9", "M4 4.5V8.5h4", "M12 8v4.3l2.8 1.7");
export const InstancesIcon = pathIcon("M4 4.5h16v6H4z", "M4 13.5h16v6H4z", "M7.5 7.5v.1M7.5 16.5v.1");
export const InfoIcon = pathIcon(circle(12, 12, 9), "M12 11v5.5", "M12 7.8v.1");
export const LightIcon = pathIcon(
  circle(12, 12, 4),
  "M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
);
export const LogIcon = pathIcon("M4 6h16M4 10.5h11M4 15h16M4 19.5h8");
export const OfflineIcon = pathIcon(
  "M3 3l18 18",
  "M5 12.5a10 10 0 0 1 4-2.4M15 10.2a10 10 0 0 1 4 2.3",
  "M8.5 16a5 5 0 0 1 6.6-.3",
  "M12 19.6v.1",
  "M2 9a14 14 0 0 1 4-2.5M10.5 5.1A14 14 0 0 1 22 9",
);
export const PauseIcon = pathIcon("M8.5 5.5v13M15.5 5.5v13");
export const PlayIcon = pathIcon("M7.5 5l11 7-11 7z");
export const RefreshIcon = pathIcon("M20 12a8 8 0 1 1-2.5-5.8", "M20 4v4.5h-4.5");
export const RequestsIcon = pathIcon("M4 5h16v14H4z", "M4 10h16M4 14.5h16M9.5 10v9");
export const SearchIcon = pathIcon(circle(10.5, 10.5, 6), "M15 15l5 5");
export const SendIcon = pathIcon("M20.5 3.5L10 14", "M20.5 3.5l-6.5 17L10 14 3.5 10z");
export const StopIcon = pathIcon("M6.5 6.5h11v11h-11z");
export const SystemIcon = pathIcon("M4 5h16v11H4z", "M9 20h6M12 16v4");
export const TableIcon = pathIcon("M4 5h16v14H4z", "M4 9.5h16M4 14.2h16M12 9.5V19");
export const TrendIcon = pathIcon("M3.5 17l6-6.5 4 4L20.5 7", "M15.5 7h5v5");
export const UploadIcon = pathIcon("M12 16V4.5", "M7 9l5-5 5 5", "M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3");
export const WrapIcon = pathIcon("M4 6h16M4 18h6", "M4 12h13a3 3 0 0 1 0 6h-3", "M16 16l-2 2 2 2");
export const WarningIcon = pathIcon("M12 4l9 15.5H3z", "M12 10v4.5", "M12 17v.1");
