"""What the vendors sell: services, their units and list prices, and how resources of each are called.

Prices are in ten-thousandths of the vendor's billing currency for one pricing unit, as printed on a price list.
"""

from __future__ import annotations

from dataclasses import dataclass

from apportion.demo.numbers import letters


@dataclass(frozen=True, slots=True)
class Sku:
    """One thing with a price. `path` is the part of a resource's id that its kind prescribes."""

    service: str
    category: str
    subcategory: str
    meter: str
    unit: str
    price: int
    resource_type: str = ""
    path: str = ""

    @property
    def listed(self) -> int:
        """The list price in millionths."""
        return self.price * 100

    def after_discount(self, percent: int) -> int:
        """The negotiated price in millionths."""
        return self.price * (100 - percent)

    def columns(self) -> dict[str, str]:
        """The FOCUS columns that the SKU decides."""
        sku_id = letters(16, "sku", self.service, self.meter).upper()
        found = {
            "ServiceName": self.service,
            "ServiceCategory": self.category,
            "ServiceSubcategory": self.subcategory,
            "SkuId": sku_id,
            "SkuMeter": self.meter,
            "SkuPriceId": f"{sku_id}.{letters(10, 'price', sku_id).upper()}",
            "PricingUnit": self.unit,
            "ChargeDescription": f"{self.service}: {self.meter}",
        }
        if self.resource_type:
            found["ResourceType"] = self.resource_type
        return found


_VM, _SERVERLESS = ("Compute", "Virtual Machines"), ("Compute", "Serverless Compute")
_SQL, _NOSQL, _CACHE = (("Databases", kind) for kind in ("Relational Databases", "NoSQL Databases", "Caching"))
_BLOCK, _OBJECT, _BACKUP = (("Storage", kind) for kind in ("Block Storage", "Object Storage", "Backup Storage"))
_OBSERVE = ("Management and Governance", "Observability")
_SUPPORT = ("Management and Governance", "Support")
_LINK = ("Networking", "Network Connectivity")
_THREAT = ("Security", "Threat Detection and Response")
_EC2, _RDS = "Amazon Elastic Compute Cloud", "Amazon Relational Database Service"

AWS = {
    "ec2": Sku(_EC2, *_VM, "m6i.xlarge Linux", "Hours", 2300, "EC2 instance", "ec2:instance/i-0"),
    "ec2-small": Sku(_EC2, *_VM, "t3.large Linux", "Hours", 960, "EC2 instance", "ec2:instance/i-0"),
    "ebs": Sku("Amazon Elastic Block Store", *_BLOCK, "gp3 storage", "GB-Months", 952, "Volume", "ec2:volume/vol-0"),
    "aurora": Sku(_RDS, *_SQL, "db.r6g.large Aurora PostgreSQL", "Hours", 3130, "DB instance", "rds:db/"),
    "dynamodb": Sku("Amazon DynamoDB", *_NOSQL, "On-demand writes", "1000000 Requests", 15250, "Table", "dynamodb:table/"),
    "redis": Sku("Amazon ElastiCache", *_CACHE, "cache.r6g.large", "Hours", 2470, "Cache cluster", "elasticache:cluster/"),
    "s3": Sku("Amazon Simple Storage Service", *_OBJECT, "Standard storage", "GB-Months", 245, "Bucket", "s3:bucket/"),
    "cloudfront": Sku(
        "Amazon CloudFront", "Networking", "Content Delivery", "Data transfer out, Europe", "GB", 850,
        "Distribution", "cloudfront:distribution/E",
    ),
    "lambda": Sku("AWS Lambda", *_SERVERLESS, "Duration", "1000000 GB-Seconds", 166667, "Function", "lambda:function/"),
    "sqs": Sku(
        "Amazon Simple Queue Service", "Integration", "Messaging", "Requests", "1000000 Requests", 4000, "Queue", "sqs:",
    ),
    "kinesis": Sku(
        "Amazon Kinesis", "Analytics", "Streaming Analytics", "Shard hours", "Hours", 179, "Stream", "kinesis:stream/",
    ),
    "opensearch": Sku(
        "Amazon OpenSearch Service", "Analytics", "Search", "r6g.large.search", "Hours", 2000, "Domain", "es:domain/",
    ),
    "logs": Sku("Amazon CloudWatch", *_OBSERVE, "Log ingestion", "GB", 6300, "Log group", "logs:log-group/"),
    "metrics": Sku("Amazon CloudWatch", *_OBSERVE, "Custom metrics", "Metrics", 3000),
    "guardduty": Sku("Amazon GuardDuty", *_THREAT, "Events analysed", "1000000 Events", 46000, "Detector", "guardduty:detector/"),
    "waf": Sku("AWS WAF", "Networking", "Network Security", "Requests", "1000000 Requests", 6000, "Web ACL", "wafv2:webacl/"),
    "gateway": Sku("AWS Transit Gateway", *_LINK, "Attachment hours", "Hours", 700, "Attachment", "ec2:tgw-attach-0"),
    "direct": Sku("AWS Direct Connect", *_LINK, "1 Gbps port", "Hours", 3000, "Connection", "directconnect:dxcon-"),
    "backup": Sku("AWS Backup", *_BACKUP, "Warm storage", "GB-Months", 500, "Recovery point", "backup:recovery-point/"),
    "codebuild": Sku(
        "AWS CodeBuild", "Developer Tools", "Continuous Integration and Deployment", "Build minutes, large", "Minutes", 200,
        "Project", "codebuild:project/",
    ),
    "glue": Sku("AWS Glue", "Analytics", "Data Processing", "ETL job run", "DPU-Hours", 4400, "Job", "glue:job/"),
    "config": Sku("AWS Config", "Management and Governance", "Compliance", "Items recorded", "1000 Items", 30000),
}  # fmt: skip

AZURE = {
    "vm": Sku("Virtual Machines", *_VM, "D4s v5", "Hours", 2300, "Virtual machine", "Microsoft.Compute/virtualMachines/"),
    "disk": Sku("Storage", *_BLOCK, "Premium SSD v2", "GB-Months", 1320, "Disk", "Microsoft.Compute/disks/"),
    "sql": Sku("SQL Database", *_SQL, "vCore, general purpose", "Hours", 2520, "SQL database", "Microsoft.Sql/servers/databases/"),
    "web": Sku("Azure App Service", "Compute", "Serverless Compute", "P1 v3", "Hours", 1690, "Web app", "Microsoft.Web/sites/"),
    "blob": Sku("Storage", *_OBJECT, "Hot LRS data stored", "GB-Months", 184, "Storage account", "Microsoft.Storage/storageAccounts/"),
    "desktop": Sku(
        "Azure Virtual Desktop", "Compute", "End User Computing", "Session host, D8s v5", "Hours", 4600,
        "Host pool", "Microsoft.DesktopVirtualization/hostPools/",
    ),
    "defender": Sku("Microsoft Defender for Cloud", *_THREAT, "Servers plan 2", "Hours", 200, "Plan", "Microsoft.Security/pricings/"),
    "monitor": Sku("Azure Monitor", *_OBSERVE, "Analytics logs", "GB", 29900, "Workspace", "Microsoft.OperationalInsights/workspaces/"),
    "express": Sku("Azure ExpressRoute", *_LINK, "1 Gbps circuit", "Hours", 5970, "Circuit", "Microsoft.Network/expressRouteCircuits/"),
    "devops": Sku(
        "Azure DevOps", "Developer Tools", "Continuous Integration and Deployment", "Parallel job", "Hours", 550,
    ),
    "connector": Sku(
        "Ledgerlink Connector", "Business Applications", "Other (Business Applications)", "Documents", "1000 Documents", 45000,
        "SaaS", "Microsoft.SaaS/resources/",
    ),
}  # fmt: skip

GOOGLE = {
    "compute": Sku("Compute Engine", *_VM, "N2 standard core", "Hours", 418, "Instance", "compute/instances"),
    "disk": Sku("Compute Engine", *_BLOCK, "Balanced PD capacity", "GiB-Months", 1200, "Disk", "compute/disks"),
    "query": Sku("BigQuery", "Databases", "Data Warehouses", "Analysis", "TiB", 62500, "Dataset", "bigquery/datasets"),
    "warehouse": Sku("BigQuery", "Databases", "Data Warehouses", "Active storage", "GiB-Months", 200, "Dataset", "bigquery/datasets"),
    "storage": Sku("Cloud Storage", *_OBJECT, "Standard storage", "GiB-Months", 230, "Bucket", "storage/buckets"),
    "run": Sku("Cloud Run", *_SERVERLESS, "vCPU time", "1000000 vCPU-Seconds", 240000, "Service", "run/services"),
    "pubsub": Sku("Cloud Pub/Sub", "Integration", "Messaging", "Message delivery", "TiB", 400000, "Topic", "pubsub/topics"),
    "vertex": Sku("Vertex AI", "AI and Machine Learning", "Machine Learning", "Training, A100", "Hours", 36730, "Job", "aiplatform/jobs"),
    "predict": Sku("Vertex AI", "AI and Machine Learning", "Machine Learning", "Online prediction", "Hours", 7500, "Endpoint", "aiplatform/endpoints"),
}  # fmt: skip

_PODS = ("Compute", "Containers")

HOSTING = {
    "cpu": Sku("Harbourline Kubernetes", *_PODS, "vCPU requested", "vCPU-Hours", 310, "Node", "node"),
    "memory": Sku("Harbourline Kubernetes", *_PODS, "Memory requested", "GiB-Hours", 42, "Node", "node"),
    "volume": Sku("Harbourline Volumes", *_BLOCK, "Replicated volume", "GiB-Months", 900, "Volume", "volume"),
}

_AI = ("AI and Machine Learning", "Generative AI")

TOKENS = {
    "input": Sku("Tokenhouse Models", *_AI, "Large model, input tokens", "1000000 Tokens", 25000),
    "output": Sku("Tokenhouse Models", *_AI, "Large model, output tokens", "1000000 Tokens", 100000),
    "cached": Sku("Tokenhouse Models", *_AI, "Large model, cached input tokens", "1000000 Tokens", 2500),
    "embedding": Sku("Tokenhouse Embeddings", *_AI, "Embedding tokens", "1000000 Tokens", 1000),
}

_OFFICE = ("Business Applications", "Productivity and Collaboration")
_BUSINESS = ("Business Applications", "Other (Business Applications)")

SEATS = {
    "office": Sku("Suitebench Office", *_OFFICE, "Seat", "Seats", 56000),
    "identity": Sku("Suitebench Identity", "Identity", "Identity and Access Management", "Seat", "Seats", 21000),
    "code": Sku("Suitebench Code", "Developer Tools", "Source Code Management", "Seat", "Seats", 175000),
    "design": Sku("Suitebench Design", *_BUSINESS, "Seat", "Seats", 350000),
    "sales": Sku("Suitebench Sales", *_BUSINESS, "Seat", "Seats", 750000),
    "people": Sku("Suitebench People", *_BUSINESS, "Seat", "Seats", 32000),
    "desk": Sku("Suitebench Desk", *_BUSINESS, "Seat", "Seats", 490000),
    "boards": Sku("Suitebench Boards", *_OFFICE, "Seat", "Seats", 90000),
}
